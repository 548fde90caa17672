//! Curves through three samples, along each axis alone.

use super::Fit;
use crate::correlation::{CorrelationMap, Peak};

/// The offsets along x and y by a fit to `(before, peak, after)`; along an axis whose samples are no peak for it, the
/// centre of their mass.
pub(super) fn both_axes(
    map: &CorrelationMap,
    Peak { dx, dy, .. }: Peak,
    fit: impl Fn(f32, f32, f32) -> Option<f64>,
) -> Option<Fit> {
    let middle = map.unbiased(dx, dy)?;
    let mut fallback = false;
    let mut along = |before: f32, after: f32| {
        fit(before, middle, after).or_else(|| {
            fallback = true;
            centroid(before, middle, after)
        })
    };
    let x = along(map.unbiased(dx - 1, dy)?, map.unbiased(dx + 1, dy)?)?;
    let y = along(map.unbiased(dx, dy - 1)?, map.unbiased(dx, dy + 1)?)?;
    Some(Fit { dx: x, dy: y, fallback })
}

/// The centre of mass of three samples, of which none weighs less than nothing: right for a peak so narrow that a
/// neighbour is down in the noise, which is the light of two neighbouring pixels that share a small particle.
fn centroid(before: f32, peak: f32, after: f32) -> Option<f64> {
    let is_peak = peak >= before && peak >= after && peak > before.min(after) && peak > 0.0;
    let [before, after] = [before, after].map(|sample| f64::from(sample.max(0.0)));
    is_peak.then(|| (after - before) / (before + f64::from(peak) + after))
}

/// The top of a Gaussian through three positive samples: of a parabola through their logarithms.
pub(super) fn gaussian(before: f32, peak: f32, after: f32) -> Option<f64> {
    let positive = before > 0.0 && peak > 0.0 && after > 0.0;
    if positive { top(f64::from(before).ln(), f64::from(peak).ln(), f64::from(after).ln()) } else { None }
}

/// The top of a parabola through three samples.
pub(super) fn parabola(before: f32, peak: f32, after: f32) -> Option<f64> {
    top(before.into(), peak.into(), after.into())
}

fn top(before: f64, peak: f64, after: f64) -> Option<f64> {
    let curvature = before + after - 2.0 * peak;
    let is_peak = peak >= before && peak >= after && curvature < 0.0;
    is_peak.then(|| 0.5 * (before - after) / curvature)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valleys_and_slopes_have_no_top() {
        assert_eq!(parabola(2.0, 1.0, 2.0), None);
        assert_eq!(parabola(0.0, 1.0, 2.0), None);
        assert_eq!(gaussian(-1.0, 1.0, 0.5), None);
        assert_eq!(gaussian(1.0, 1.0, 1.0), None);
        assert_eq!(parabola(0.0, 1.0, 0.0), Some(0.0));
        assert_eq!(parabola(1.0, 1.0, 0.0), Some(-0.5));
        assert_eq!(centroid(-0.2, 0.75, 0.25), Some(0.25));
        assert_eq!(centroid(-0.1, 1.0, -0.3), Some(0.0));
        assert_eq!(centroid(1.0, 1.0, 1.0), None);
        assert_eq!(centroid(0.0, 1.0, 1.5), None);
    }
}
