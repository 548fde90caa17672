//! One field of many couples: correlations are added up before their peak is searched.
//!
//! Meinhart, Wereley and Santiago 2000, *A PIV algorithm for estimating time-averaged velocity fields*, Journal of
//! Fluids Engineering 122, 285-289. Where windows hold few particles, as in microscopes, the correlation of one couple
//! has no peak that could be told from others. The peaks that are wrong lie elsewhere in each couple, and the right one
//! in the same place. So the mean correlation shows the mean displacement of a steady flow, with windows down to the
//! size of particles. In a flow that is not steady, its peak is the most frequent displacement, which may differ from
//! the mean.
//!
//! Each couple counts the same here: its correlation is normalised before it is added, where the paper adds products of
//! intensities, so that bright couples count more.

use super::plan::{MultipassPlan, PivResult};
use crate::{Image, PivError};

impl MultipassPlan {
    /// The field of `count` couples with the correlations of all of them. In several passes, each one goes through all
    /// couples: `couple` is called with the indices 0 to `count - 1`, once for each pass, and may read the images then.
    /// The memory is that of one couple, and of a correlation map for each window.
    ///
    /// Uncertainties are not estimated.
    ///
    /// ```
    /// use terzetto_kernels::{Flow, MultipassParams, MultipassPlan, PivError, SynthParams, synth_couple};
    ///
    /// // Some two particles in a window of 16 px: far too few for one couple.
    /// let scene = SynthParams { width: 96, height: 96, density: 0.008, ..SynthParams::default() };
    /// let flow = Flow::Uniform { dx: 2.3, dy: -1.0 };
    /// let couples: Vec<_> = (0..20).map(|index| synth_couple(&scene, &flow, index)).collect::<Result<_, _>>()?;
    /// let mut plan = MultipassPlan::new(&MultipassParams::zoom(16, 1), 96, 96)?;
    /// let result = plan.compute_ensemble(couples.len(), |index| {
    ///     let (first, second) = couples[index].clone();
    ///     Ok::<_, PivError>([first, second])
    /// })?;
    /// assert!(result.passes[0].share_valid() > 0.95);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`PivError::Parameter`] for a `count` of 0, [`PivError::Size`] for an image of another size than the plan's, and
    /// what `couple` returns.
    pub fn compute_ensemble<E: From<PivError>>(
        &mut self,
        count: usize,
        mut couple: impl FnMut(usize) -> Result<[Image; 2], E>,
    ) -> Result<PivResult, E> {
        PivError::check(count > 0, "count", count, "at least 1 couple")?;
        let passes = Vec::with_capacity(self.passes.len());
        let mut result = PivResult { passes, smoothed: None, uncertainty: Vec::new() };
        let mut predicted = vec![self.params.displacement_mean; self.passes[0].grid.len()];
        for index in 0..self.passes.len() {
            let mut sums = Vec::new();
            let mut measured = None;
            for at in 0..count {
                let images = couple(at)?;
                let images = images.each_ref();
                let magnitudes = self.prepare(images)?;
                let (pass, frames, guide) = self.view(index, images, magnitudes, &predicted);
                pass.add_to(&mut sums, frames, guide);
                if at + 1 == count {
                    measured = Some(pass.measure_sums(std::mem::take(&mut sums), guide));
                }
            }
            if let Some(field) = measured {
                self.settle(index, field, &mut predicted, &mut result);
            }
        }
        Ok(result)
    }
}
