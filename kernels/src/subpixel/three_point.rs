//! Curves through three samples, along each axis alone.

use crate::correlation::{CorrelationMap, Peak};

/// The offsets along x and y by a fit to `(before, peak, after)`.
pub(super) fn both_axes(
    map: &CorrelationMap,
    Peak { dx, dy, value }: Peak,
    fit: impl Fn(f32, f32, f32) -> Option<f64>,
) -> Option<(f64, f64)> {
    let x = fit(map.at(dx - 1, dy)?, value, map.at(dx + 1, dy)?)?;
    let y = fit(map.at(dx, dy - 1)?, value, map.at(dx, dy + 1)?)?;
    Some((x, y))
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
    }
}
