//! Tests of one vector alone.

use super::ValidationParams;
use crate::field::{Flags, VectorField};

/// Flags vectors whose correlation or peak ratio is too small or whose displacement is too large.
///
/// A vector without a value (masked, or from a window without signal) is left as it is.
pub fn test_alone(field: &mut VectorField, params: &ValidationParams) {
    for vector in &mut field.vectors {
        if vector.flags.contains(Flags::MASKED) || vector.flags.contains(Flags::NO_SIGNAL) {
            continue;
        }
        if vector.correlation < params.correl_min {
            vector.flags |= Flags::LOW_CORRELATION;
        }
        if vector.peak_ratio < params.peak_ratio_min {
            vector.flags |= Flags::LOW_PEAK_RATIO;
        }
        if vector.dx.hypot(vector.dy) > params.displacement_max {
            vector.flags |= Flags::TOO_LARGE;
        }
    }
}
