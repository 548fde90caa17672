//! The plan: everything that depends on sizes only, made once and used for many couples.

use super::{
    correlate::Correlator,
    field::{Flags, Vector, VectorField},
    params::{PivError, PivParams},
    subpixel,
};
use crate::Image;

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
pub struct PivPlan {
    params: PivParams,
    width: usize,
    height: usize,
    /// Largest displacement searched, whole pixels.
    reach: isize,
    correlator: Correlator,
    windows: [Vec<f32>; 2],
}

impl PivPlan {
    /// A plan for images of `width` by `height` px.
    ///
    /// # Errors
    /// A parameter that makes no sense; an image smaller than a window.
    pub fn new(params: &PivParams, width: usize, height: usize) -> Result<PivPlan, PivError> {
        params.validate()?;
        let n = params.window;
        if width < n || height < n {
            return Err(PivError::TooSmall { window: n, found: (width, height) });
        }
        let half = (n / 2) as isize;
        let reach = params.displacement_max.map_or(half, |max| (max.ceil() as isize).min(n as isize - 2));
        Ok(PivPlan {
            params: params.clone(),
            width,
            height,
            reach,
            correlator: Correlator::new(n),
            windows: [vec![0.0; n * n], vec![0.0; n * n]],
        })
    }

    /// The displacement of the pattern from the first image to the second, window by window.
    ///
    /// # Errors
    /// An image of another size than the plan's.
    pub fn compute(&mut self, first: &Image, second: &Image) -> Result<VectorField, PivError> {
        for image in [first, second] {
            let found = (image.width(), image.height());
            if found != (self.width, self.height) {
                return Err(PivError::Size { expected: (self.width, self.height), found });
            }
        }
        let (n, step) = (self.params.window, self.params.step());
        let (nx, ny) = ((self.width - n) / step + 1, (self.height - n) / step + 1);
        let mut vectors = Vec::with_capacity(nx * ny);
        for iy in 0..ny {
            for ix in 0..nx {
                vectors.push(self.window(first, second, ix * step, iy * step)?);
            }
        }
        let mut field = VectorField { nx, ny, vectors };
        field.flag_outliers(self.params.threshold_diff_neighbour);
        Ok(field)
    }

    fn window(&mut self, first: &Image, second: &Image, left: usize, top: usize) -> Result<Vector, PivError> {
        let n = self.params.window;
        // Pixel centres are whole numbers: between the first and the last of them.
        let centre = (n as f64 - 1.0) / 2.0;
        let mut vector = Vector {
            x: left as f64 + centre,
            y: top as f64 + centre,
            dx: 0.0,
            dy: 0.0,
            correlation: 0.0,
            flags: Flags::default(),
        };
        let [a, b] = &mut self.windows;
        let norm = cut(first, left, top, n, a) * cut(second, left, top, n, b);
        if norm <= 0.0 || !norm.is_finite() {
            vector.flags |= Flags::NO_SIGNAL;
            return Ok(vector);
        }
        self.correlator.correlate(a, b)?;
        let reach = self.reach;
        let (mut px, mut py, mut peak) = (0, 0, f32::NEG_INFINITY);
        for dy in -reach..=reach {
            for dx in -reach..=reach {
                let value = self.correlator.at(dx, dy);
                if value > peak {
                    (px, py, peak) = (dx, dy, value);
                }
            }
        }
        vector.correlation = f64::from(peak / norm);
        if px.abs() == reach || py.abs() == reach {
            vector.flags |= Flags::PEAK_AT_BORDER;
        }
        let at = |dx, dy| self.correlator.at(dx, dy);
        let offset_x = subpixel::gaussian(at(px - 1, py), peak, at(px + 1, py));
        let offset_y = subpixel::gaussian(at(px, py - 1), peak, at(px, py + 1));
        if offset_x.is_none() || offset_y.is_none() {
            vector.flags |= Flags::SUBPIXEL_FAILED;
        }
        vector.dx = px as f64 + offset_x.unwrap_or(0.0);
        vector.dy = py as f64 + offset_y.unwrap_or(0.0);
        if vector.correlation < self.params.correl_min {
            vector.flags |= Flags::LOW_CORRELATION;
        }
        Ok(vector)
    }
}

/// Copies a window without its mean; returns its Euclidean norm.
fn cut(image: &Image, left: usize, top: usize, n: usize, out: &mut [f32]) -> f32 {
    for (y, line) in out.chunks_exact_mut(n).enumerate() {
        line.copy_from_slice(&image.row(top + y)[left..left + n]);
    }
    let mean = (out.iter().map(|&value| f64::from(value)).sum::<f64>() / out.len() as f64) as f32;
    out.iter_mut().for_each(|value| *value -= mean);
    out.iter().map(|value| value * value).sum::<f32>().sqrt()
}
