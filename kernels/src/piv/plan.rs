//! The plan: everything that depends on sizes only, made once and used for many couples.

use super::params::PivParams;
use crate::{
    Image, PivError,
    field::VectorField,
    multipass::{MultipassParams, MultipassPlan},
};

/// Computes the fields of couples of one size; one for each worker.
///
/// ```
/// use terzetto_kernels::{Image, PivParams, PivPlan};
/// let spot = |x: usize, y: usize| ((x * 7919 + y * 104_729) % 97) as f32;
/// let first = Image::from_fn(64, 64, spot);
/// let second = Image::from_fn(64, 64, |x, y| spot(x.wrapping_sub(2).min(1000), y));
/// let mut plan = PivPlan::new(&PivParams::default(), 64, 64)?;
/// let field = plan.compute(&first, &second)?;
/// assert_eq!((field.nx, field.ny), (3, 3));
/// # Ok::<(), terzetto_kernels::PivError>(())
/// ```
pub struct PivPlan(MultipassPlan);

impl PivPlan {
    /// A plan for images of `width` by `height` px.
    ///
    /// # Errors
    /// A parameter that makes no sense; an image smaller than a window.
    pub fn new(params: &PivParams, width: usize, height: usize) -> Result<PivPlan, PivError> {
        params.validate()?;
        Ok(PivPlan(MultipassPlan::new(&MultipassParams::from(params), width, height)?))
    }

    /// The displacement of the pattern from the first image to the second, window by window.
    ///
    /// # Errors
    /// An image of another size than the plan's.
    pub fn compute(&mut self, first: &Image, second: &Image) -> Result<VectorField, PivError> {
        let mut result = self.0.compute(first, second)?;
        Ok(result.passes.pop().unwrap_or_default())
    }
}
