//! A pool of plans: what the kernels need to compute, kept for use again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use terzetto_executor::BoxError;
use terzetto_kernels::{Image, MultipassParams, MultipassPlan, PivError, PivResult, multipass::Mask};

use super::{check_size, size};

/// Plans that are ready for use. A worker takes one and puts it back. So there are as many plans for a size of image as
/// workers use at once.
pub struct PlanPool {
    params: MultipassParams,
    idle: Mutex<HashMap<(usize, usize), Vec<MultipassPlan>>>,
}

impl PlanPool {
    /// An empty pool for these parameters.
    pub fn new(params: MultipassParams) -> PlanPool {
        PlanPool { params, idle: Mutex::default() }
    }

    /// The displacement of the pattern from the first image to the second. `None` as the mask: all pixels count.
    ///
    /// # Errors
    /// As [`MultipassPlan::compute`]; a mask of another size than the images.
    pub fn compute(
        &self,
        first: &Image,
        second: &Image,
        mask: Option<Arc<Mask>>,
    ) -> Result<PivResult, BoxError> {
        let size = size(first);
        let idle = self.with_idle(|idle| idle.get_mut(&size).and_then(Vec::pop));
        let mut plan = match idle {
            Some(plan) => plan,
            None => self.make(size)?,
        };
        if let Some(mask) = &mask {
            check_size("the mask", size, mask.size())?;
        }
        let result = plan.set_mask(mask).and_then(|()| plan.compute(first, second));
        self.with_idle(|idle| idle.entry(size).or_default().push(plan));
        Ok(result?)
    }

    /// A new plan.
    ///
    /// # Errors
    /// As [`MultipassPlan::new`].
    pub fn make(&self, (width, height): (usize, usize)) -> Result<MultipassPlan, BoxError> {
        MultipassPlan::new(&self.params, width, height).map_err(|error| match error {
            PivError::TooSmall { .. } if self.params.region.is_some() => {
                format!("the region: {error}").into()
            }
            error => BoxError::from(error),
        })
    }

    fn with_idle<R>(&self, f: impl FnOnce(&mut HashMap<(usize, usize), Vec<MultipassPlan>>) -> R) -> R {
        // Nothing panics under the lock, so a poisoned pool is whole, too.
        f(&mut self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
