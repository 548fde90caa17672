//! Background-oriented schlieren: PIV of every image against one reference.
//!
//! A pattern behind a transparent flow seems to shift where the index of refraction varies; how far is the
//! displacement of the pattern from the undisturbed reference to the image (Raffel 2015, *Experiments in
//! Fluids* 56, 60).

use crate::{
    Image, PivError,
    multipass::{Mask, MultipassParams, MultipassPlan, PivResult},
};

/// Computes the apparent displacements of images against one reference; one for each worker.
///
/// ```
/// use terzetto_kernels::{Flow, SynthParams, synth_couple};
/// use terzetto_kernels::{bos::BosPlan, multipass::MultipassParams};
///
/// let scene = SynthParams { width: 96, height: 96, ..SynthParams::default() };
/// let (reference, image) = synth_couple(&scene, &Flow::Uniform { dx: 0.4, dy: 0.0 }, 0)?;
/// let mut plan = BosPlan::new(&MultipassParams::default(), reference)?;
/// let result = plan.compute(&image)?;
/// let middle = result.passes[0].get(2, 2).ok_or("no window")?;
/// assert!((middle.dx - 0.4).abs() < 0.1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct BosPlan {
    reference: Image,
    plan: MultipassPlan,
}

impl BosPlan {
    /// A plan for images of the reference's size.
    ///
    /// # Errors
    /// As [`MultipassPlan::new`].
    pub fn new(params: &MultipassParams, reference: Image) -> Result<BosPlan, PivError> {
        let plan = MultipassPlan::new(params, reference.width(), reference.height())?;
        Ok(BosPlan { reference, plan })
    }

    /// The same plan for images of which some pixels do not count.
    ///
    /// # Errors
    /// As [`MultipassPlan::with_mask`].
    pub fn with_mask(self, mask: Mask) -> Result<BosPlan, PivError> {
        Ok(BosPlan { plan: self.plan.with_mask(mask)?, ..self })
    }

    /// The displacement of the pattern from the reference to the image.
    ///
    /// # Errors
    /// [`PivError::Size`] for an image of another size than the reference's.
    pub fn compute(&mut self, image: &Image) -> Result<PivResult, PivError> {
        self.plan.compute(&self.reference, image)
    }
}
