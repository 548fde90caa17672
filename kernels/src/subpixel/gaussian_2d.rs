//! The elliptic Gaussian.

use crate::correlation::{CorrelationMap, Peak};

/// The share of the peak's height below which samples are noise.
const LEAST: f32 = 0.05;

/// The top of the Gaussian whose logarithm `c00 + c10 x + c01 y + c11 xy + c20 x² + c02 y²` fits the
/// samples' logarithms best. On a square of samples around the origin these functions are orthogonal
/// once the mean of `x²` is taken off, so that each coefficient is a sum of its own.
///
/// None if a sample is not above [`LEAST`]: its logarithm would weigh most and mean least.
pub(super) fn offset(map: &CorrelationMap, peak: Peak, radius: usize) -> Option<(f64, f64)> {
    let radius = radius as i32;
    let least = LEAST * map.unbiased(peak.dx, peak.dy)?;
    let width = f64::from(2 * radius + 1);
    let mean = f64::from(radius * (radius + 1)) / 3.0;
    let (mut c10, mut c01, mut c11, mut c20, mut c02) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for j in -radius..=radius {
        for i in -radius..=radius {
            let sample = map.unbiased(peak.dx + i, peak.dy + j)?;
            if !(sample > least && sample.is_finite()) {
                return None;
            }
            let (x, y, log) = (f64::from(i), f64::from(j), f64::from(sample.ln()));
            c10 += x * log;
            c01 += y * log;
            c11 += x * y * log;
            c20 += (x * x - mean) * log;
            c02 += (y * y - mean) * log;
        }
    }
    // The sums over one axis of x² and of (x² - mean)².
    let squares = mean * width;
    let spread: f64 = (-radius..=radius).map(|i| (f64::from(i * i) - mean).powi(2)).sum();
    c10 /= width * squares;
    c01 /= width * squares;
    c11 /= squares * squares;
    c20 /= width * spread;
    c02 /= width * spread;
    let determinant = 4.0 * c20 * c02 - c11 * c11;
    if determinant <= 0.0 || c20 >= 0.0 {
        return None;
    }
    Some(((c11 * c01 - 2.0 * c02 * c10) / determinant, (c11 * c10 - 2.0 * c20 * c01) / determinant))
}
