//! What becomes of a field that was tested: smoothed by splines, replaced where it is not valid, without what is
//! masked.

use crate::{
    field::{Flags, VectorField},
    tps::GridSpline,
};

/// How often the spline is computed anew without the vectors that were far from it.
const ROUNDS: usize = 3;

impl GridSpline {
    /// The spline through the valid vectors, of which those farther than `threshold` px from it are flagged and
    /// left out. Values of invalid vectors become those of the spline.
    pub(super) fn smooth(
        &mut self,
        field: &mut VectorField,
        values: &mut [[f64; 2]],
        threshold: f64,
    ) -> Vec<[f64; 2]> {
        let mut smooth = vec![[0.0; 2]; values.len()];
        for _ in 0..ROUNDS {
            self.apply(values, &invalid(field), &mut smooth);
            let mut found = false;
            for (vector, smooth) in field.vectors.iter_mut().zip(&smooth) {
                let distance = (vector.dx - smooth[0]).hypot(vector.dy - smooth[1]);
                if vector.flags.is_valid() && distance > threshold {
                    vector.flags |= Flags::SPLINE_OUTLIER;
                    found = true;
                }
            }
            if !found {
                break;
            }
        }
        for ((value, smooth), vector) in values.iter_mut().zip(&smooth).zip(&field.vectors) {
            if !vector.flags.is_valid() {
                *value = *smooth;
            }
        }
        smooth
    }
}

/// Which vectors are not valid.
pub(super) fn invalid(field: &VectorField) -> Vec<bool> {
    field.vectors.iter().map(|vector| !vector.flags.is_valid()).collect()
}

/// A copy with other displacements.
pub(super) fn with_values(field: &VectorField, values: &[[f64; 2]]) -> VectorField {
    let mut field = field.clone();
    for (vector, &[dx, dy]) in field.vectors.iter_mut().zip(values) {
        (vector.dx, vector.dy) = (dx, dy);
    }
    field
}

/// Puts the interpolated values in the place of invalid vectors, if there are valid ones to interpolate.
pub(super) fn replace(field: &mut VectorField, values: &[[f64; 2]]) {
    if !field.vectors.iter().any(|vector| vector.flags.is_valid()) {
        return;
    }
    for (vector, &[dx, dy]) in field.vectors.iter_mut().zip(values) {
        if !vector.flags.is_valid() && !vector.flags.contains(Flags::MASKED) {
            (vector.dx, vector.dy) = (dx, dy);
            vector.flags |= Flags::REPLACED;
        }
    }
}

/// Takes the displacement from masked vectors: there is no flow.
pub(super) fn erase_masked(field: &mut VectorField) {
    for vector in &mut field.vectors {
        if vector.flags.contains(Flags::MASKED) {
            (vector.dx, vector.dy, vector.correlation) = (f64::NAN, f64::NAN, f64::NAN);
        }
    }
}
