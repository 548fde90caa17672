//! The plan of all passes: what depends on sizes and parameters only, made once.

use super::{
    deform::{Coefficients, Deformer},
    finish::{erase_masked, invalid, replace, with_values},
    look::Look,
    mask::Mask,
    params::{MultipassParams, Predictor, Region},
    pass::{Guide, Pass},
    search,
    uncertainty::uncertainties,
    window::Frame,
};
use crate::{Image, PivError, field::VectorField, lanes, tps::GridSpline, validation};
use std::sync::Arc;

/// What the passes found.
#[derive(Debug, Clone, PartialEq)]
pub struct PivResult {
    /// The vectors of each pass, as measured, with what validation replaced. Masked ones have no displacement (NaN).
    pub passes: Vec<VectorField>,
    /// The last pass's field, smoothed, with its flags; if the parameters ask for it.
    pub smoothed: Option<VectorField>,
    /// The standard deviation of both components of each vector of the last pass, as measured, px; NaN for vectors that
    /// are not valid. Empty unless the parameters ask for it.
    pub uncertainty: Vec<[f64; 2]>,
}

impl PivResult {
    /// The field to use: smoothed if there is one, else that of the last pass.
    pub fn last(&self) -> Option<&VectorField> {
        self.smoothed.as_ref().or(self.passes.last())
    }
}

/// Computes couples of images of one size in one or more passes; one for each worker.
///
/// ```
/// use terzetto_kernels::{Flow, SynthParams, synth_couple};
/// use terzetto_kernels::multipass::{MultipassParams, MultipassPlan};
///
/// let scene = SynthParams { width: 128, height: 128, ..SynthParams::default() };
/// let (first, second) = synth_couple(&scene, &Flow::Uniform { dx: 7.3, dy: -2.4 }, 0)?;
/// let mut plan = MultipassPlan::new(&MultipassParams::zoom(32, 2), 128, 128)?;
/// let result = plan.compute(&first, &second)?;
/// let vector = result.passes[1].get(7, 7).ok_or("no window")?;
/// assert!((vector.dx - 7.3).abs() < 0.2 && (vector.dy + 2.4).abs() < 0.2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct MultipassPlan {
    pub(super) params: MultipassParams,
    size: (usize, usize),
    mask: Option<Arc<Mask>>,
    pub(super) passes: Vec<Pass>,
    /// For each pass but the last: to its own grid and to the next pass's. For the last: to its own.
    splines: Vec<Splines>,
    deformation: Option<Deformation>,
}

struct Splines {
    own: Option<GridSpline>,
    next: Option<GridSpline>,
}

struct Deformation {
    coefficients: [Coefficients; 2],
    images: [Image; 2],
    /// One for each pass that deforms.
    deformers: Vec<Option<Deformer>>,
}

impl MultipassPlan {
    /// A plan for images of `width` by `height` px.
    ///
    /// # Errors
    /// A parameter that makes no sense; an image, or a region, smaller than a window; a grid of less than two
    /// rows or columns that should bear a spline.
    pub fn new(params: &MultipassParams, width: usize, height: usize) -> Result<MultipassPlan, PivError> {
        params.validate()?;
        let region = params.region.unwrap_or(Region { left: 0, top: 0, width, height });
        let fits = |start: usize, length: usize, size: usize| {
            start.checked_add(length).is_some_and(|end| end <= size)
        };
        let inside = fits(region.left, region.width, width) && fits(region.top, region.height, height);
        if !inside {
            let Region { left, top, width: columns, height: rows } = region;
            return Err(PivError::Region { region: [left, top, columns, rows], image: (width, height) });
        }
        let passes: Vec<Pass> =
            params.passes.iter().map(|pass| Pass::new(pass, region)).collect::<Result<_, _>>()?;
        let splines = (0..passes.len())
            .map(|index| Splines::new(params, &passes[index], passes.get(index + 1)))
            .collect::<Result<_, _>>()?;
        let deforms = |index: usize| index > 0 && params.passes[index].predictor == Predictor::Deform;
        let last = passes.len() - 1;
        let needs_deformer = |index: usize| deforms(index) || params.uncertainty && index == last;
        let deformation = (0..=last).any(needs_deformer).then(|| Deformation {
            coefficients: [0, 1].map(|_| Coefficients::new(width, height)),
            images: [0, 1].map(|_| Image::from_fn(width, height, |_, _| 0.0)),
            deformers: (0..passes.len())
                .map(|index| {
                    needs_deformer(index).then(|| Deformer::new(passes[index].grid.axes(), width, height))
                })
                .collect(),
        });
        let params = params.clone();
        Ok(MultipassPlan { params, size: (width, height), mask: None, passes, splines, deformation })
    }

    /// The same plan for images of which some pixels do not count.
    ///
    /// # Errors
    /// [`PivError::Size`] if the mask has another size than the images.
    pub fn with_mask(mut self, mask: impl Into<Arc<Mask>>) -> Result<MultipassPlan, PivError> {
        self.set_mask(Some(mask.into()))?;
        Ok(self)
    }

    /// From now on, these pixels count: for masks that move. With `None`, all of them do.
    ///
    /// # Errors
    /// [`PivError::Size`] if the mask has another size than the images; the plan has the mask it had before then.
    pub fn set_mask(&mut self, mask: Option<Arc<Mask>>) -> Result<(), PivError> {
        if let Some(found) = mask.as_ref().map(|mask| mask.size()).filter(|size| *size != self.size) {
            return Err(PivError::Size { expected: self.size, found });
        }
        self.mask = mask;
        Ok(())
    }

    /// The parameters of the plan.
    pub fn params(&self) -> &MultipassParams {
        &self.params
    }

    /// The displacement of the pattern from the first image to the second, pass by pass.
    ///
    /// # Errors
    /// [`PivError::Size`] for an image of another size than the plan's.
    pub fn compute(&mut self, first: &Image, second: &Image) -> Result<PivResult, PivError> {
        self.compute_by_pass(first, second, |_| {})
    }

    /// As [`compute`](MultipassPlan::compute), with a call of `after` as each pass ends, with its index: for
    /// who wants to know what takes the time.
    ///
    /// # Errors
    /// As [`compute`](MultipassPlan::compute).
    pub fn compute_by_pass(
        &mut self,
        first: &Image,
        second: &Image,
        mut after: impl FnMut(usize),
    ) -> Result<PivResult, PivError> {
        let magnitudes = self.prepare([first, second])?;
        let passes = Vec::with_capacity(self.passes.len());
        let mut result = PivResult { passes, smoothed: None, uncertainty: Vec::new() };
        let mut predicted = vec![self.params.displacement_mean; self.passes[0].grid.len()];
        for index in 0..self.passes.len() {
            let field = self.measure(index, [first, second], magnitudes, &predicted);
            let values = self.settle(index, field, &mut predicted, &mut result);
            if self.params.uncertainty && index + 1 == self.passes.len() {
                result.uncertainty = self.uncertainty(&result.passes[index], &values, magnitudes);
            }
            after(index);
        }
        Ok(result)
    }

    /// Checks the images of a couple, and makes of them what deformation needs. Returns how bright they are.
    pub(super) fn prepare(&mut self, images: [&Image; 2]) -> Result<[f32; 2], PivError> {
        for image in images {
            let found = (image.width(), image.height());
            if found != self.size {
                return Err(PivError::Size { expected: self.size, found });
            }
        }
        if let Some(deformation) = &mut self.deformation {
            for (coefficients, image) in deformation.coefficients.iter_mut().zip(images) {
                coefficients.fit(image);
            }
        }
        // A quarter of the rows is enough to tell what is small beside the image.
        let rows = |image: &Image| {
            (0..image.height()).step_by(4).map(|y| lanes::magnitude(image.row(y))).fold(0.0, f32::max)
        };
        Ok(images.map(rows))
    }

    /// What is done with a field that was measured and tested: replaced, smoothed, and carried to the next pass, whose
    /// `predicted` displacements it becomes. Returns a displacement for each vector, valid or not.
    pub(super) fn settle(
        &mut self,
        index: usize,
        mut field: VectorField,
        predicted: &mut Vec<[f64; 2]>,
        result: &mut PivResult,
    ) -> Vec<[f64; 2]> {
        let replaces = self.params.passes[index].validation.replace;
        let splines = &mut self.splines[index];
        let mut values = if field.vectors.iter().any(|vector| vector.flags.is_valid()) {
            validation::fill(&field)
        } else {
            // Nothing was found, so that what the pass was given is all that the next one can be given.
            predicted.clone()
        };
        let mut guess = None;
        if let Some(own) = &mut splines.own {
            let smooth = own.smooth(&mut field, &mut values, self.params.spline.threshold);
            if index + 1 == self.passes.len() && self.params.spline.smooth_last {
                // Where a vector is not valid, the spline through the others is all that there is.
                let mut smoothed = field.clone();
                replace(&mut smoothed, &smooth);
                result.smoothed = Some(with_values(&smoothed, &smooth));
            }
            guess = Some(smooth);
        }
        if let Some(next) = &mut splines.next {
            *predicted = vec![[0.0; 2]; self.passes[index + 1].grid.len()];
            next.apply(&values, &invalid(&field), predicted);
            let (before, after) = self.passes.split_at_mut(index + 1);
            if self.params.passes[index + 1].displacement_max.is_none()
                && let (Some(guess), Some(pass), Some(next)) = (&guess, before.last(), after.first_mut())
            {
                search::reaches(&field, guess, &pass.grid, &next.grid, &mut next.reaches);
            }
        }
        if replaces {
            replace(&mut field, &values);
        }
        erase_masked(&mut field);
        result.smoothed.iter_mut().for_each(erase_masked);
        result.passes.push(field);
        values
    }

    /// From now on, the correlation of the window nearest to a place (column and row, px) is kept, for
    /// [`looks`](MultipassPlan::looks); none is at first, and with `None`.
    pub fn look_near(&mut self, place: Option<[f64; 2]>) {
        self.passes.iter_mut().for_each(|pass| pass.look_near(place));
    }

    /// What each pass saw in the last couple at the place to be looked at; none where a window has nothing to
    /// correlate.
    ///
    /// ```
    /// use terzetto_kernels::{Flow, MultipassParams, MultipassPlan, SynthParams, synth_couple};
    ///
    /// let scene = SynthParams { width: 128, height: 128, ..SynthParams::default() };
    /// let (first, second) = synth_couple(&scene, &Flow::Uniform { dx: 5.0, dy: -2.0 }, 0)?;
    /// let mut plan = MultipassPlan::new(&MultipassParams::zoom(32, 2), 128, 128)?;
    /// plan.look_near(Some([60.0, 60.0]));
    /// plan.compute(&first, &second)?;
    /// let looks = plan.looks();
    /// let look = looks[1].ok_or("nothing to correlate")?;
    /// let peak = look.map.peaks(1, 3).first().ok_or("no peak")?;
    /// let found = [look.zero[0] + f64::from(peak.dx), look.zero[1] + f64::from(peak.dy)];
    /// assert!((found[0] - 5.0).abs() < 0.1 && (found[1] + 2.0).abs() < 0.1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn looks(&self) -> Vec<Option<&Look>> {
        self.passes.iter().map(|pass| pass.look.as_ref()).collect()
    }

    /// The uncertainty of the vectors of the last pass, whose displacements are `values`.
    fn uncertainty(
        &mut self,
        field: &VectorField,
        values: &[[f64; 2]],
        magnitudes: [f32; 2],
    ) -> Vec<[f64; 2]> {
        let (Some(Deformation { coefficients, images, deformers }), Some(pass)) =
            (&mut self.deformation, self.passes.last())
        else {
            return Vec::new();
        };
        let Some(Some(deformer)) = deformers.last_mut() else { return Vec::new() };
        for ((coefficients, image), share) in coefficients.iter().zip(images.iter_mut()).zip([-0.5, 0.5]) {
            deformer.deform(coefficients, values, share, image);
        }
        let (mask, masked_max) = (self.mask.as_deref(), self.params.masked_max);
        let frame = |image, magnitude| Frame { image, mask, masked_max, clip: false, magnitude };
        let frames = [0, 1].map(|which| frame(&images[which], magnitudes[which]));
        uncertainties(frames, &pass.grid, field)
    }

    /// One pass: measured and tested.
    fn measure(
        &mut self,
        index: usize,
        images: [&Image; 2],
        magnitudes: [f32; 2],
        predicted: &[[f64; 2]],
    ) -> VectorField {
        let (pass, frames, guide) = self.view(index, images, magnitudes, predicted);
        pass.measure(frames, guide)
    }

    /// What a pass sees of a couple: the images, or what the predicted displacements make of them.
    pub(super) fn view<'a>(
        &'a mut self,
        index: usize,
        images: [&'a Image; 2],
        magnitudes: [f32; 2],
        predicted: &'a [[f64; 2]],
    ) -> (&'a mut Pass, [Frame<'a>; 2], Guide<'a>) {
        let (mask, masked_max) = (self.mask.as_deref(), self.params.masked_max);
        let clip = self.params.passes[index].clip;
        let deforms = index > 0 && self.params.passes[index].predictor == Predictor::Deform;
        let pass = &mut self.passes[index];
        let frame = |image, magnitude| Frame { image, mask, masked_max, clip, magnitude };
        let deformation = self.deformation.as_mut().filter(|_| deforms);
        let (images, guide) = match deformation {
            Some(Deformation { coefficients, images: deformed, deformers }) => {
                if let Some(deformer) = &mut deformers[index] {
                    for ((coefficients, image), share) in
                        coefficients.iter().zip(deformed.iter_mut()).zip([-0.5, 0.5])
                    {
                        deformer.deform(coefficients, predicted, share, image);
                    }
                }
                (deformed.each_ref(), Guide::Deformed(predicted))
            }
            None => (images, Guide::Shift(predicted)),
        };
        let [first, second] = images;
        (pass, [frame(first, magnitudes[0]), frame(second, magnitudes[1])], guide)
    }
}

impl Splines {
    fn new(params: &MultipassParams, pass: &Pass, next: Option<&Pass>) -> Result<Splines, PivError> {
        let (nodes, spline) = (pass.grid.axes(), &params.spline);
        let to = |targets| GridSpline::new(nodes, targets, spline.smoothing, spline.subdomain);
        let wanted = match next {
            Some(_) => spline.threshold.is_finite(),
            None => spline.smooth_last,
        };
        let own = wanted.then(|| to(nodes)).transpose()?;
        Ok(Splines { own, next: next.map(|next| to(next.grid.axes())).transpose()? })
    }
}
