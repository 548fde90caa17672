//! The centre of mass.

use crate::correlation::{CorrelationMap, Peak};

/// The centre of mass of the samples within `radius`, each above the lowest of them: a level that all
/// share has no place.
pub(super) fn offset(map: &CorrelationMap, peak: Peak, radius: usize) -> Option<(f64, f64)> {
    let radius = radius as i32;
    let (mut mass, mut x, mut y) = (0.0, 0.0, 0.0);
    let mut lowest = f64::INFINITY;
    for j in -radius..=radius {
        for i in -radius..=radius {
            let sample = f64::from(map.unbiased(peak.dx + i, peak.dy + j)?);
            lowest = lowest.min(sample);
            mass += sample;
            x += sample * f64::from(i);
            y += sample * f64::from(j);
        }
    }
    // The lowest sample's share of the first moments cancels out.
    let mass = mass - lowest * f64::from((2 * radius + 1).pow(2));
    (mass > 0.0 && mass.is_finite()).then(|| (x / mass, y / mass))
}
