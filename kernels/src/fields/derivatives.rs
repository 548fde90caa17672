//! How displacements change from place to place.

use crate::field::VectorField;

/// The derivatives of a displacement field at one vector, px per px: divided by the time between the images they are
/// rates ([`Scale::rate`](super::Scale::rate)).
///
/// Signs are those of a person who looks at the image: counter-clockwise is positive, as in a system whose y axis points
/// upwards, though rows are counted downwards.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Derivatives {
    /// Change of the displacement to the right, per px to the right.
    pub du_dx: f64,
    /// Change of the displacement to the right, per px upwards.
    pub du_dy: f64,
    /// Change of the displacement upwards, per px to the right.
    pub dv_dx: f64,
    /// Change of the displacement upwards, per px upwards.
    pub dv_dy: f64,
}

impl Derivatives {
    const NONE: Derivatives =
        Derivatives { du_dx: f64::NAN, du_dy: f64::NAN, dv_dx: f64::NAN, dv_dy: f64::NAN };

    /// Twice the rate at which the fluid turns, counter-clockwise.
    pub fn vorticity(&self) -> f64 {
        self.dv_dx - self.du_dy
    }

    /// How much flows out of the plane's area: zero for a two-dimensional flow without compression.
    pub fn divergence(&self) -> f64 {
        self.du_dx + self.dv_dy
    }

    /// The shear strain: half of what the angle between two lines changes.
    pub fn shear_strain(&self) -> f64 {
        0.5 * (self.du_dy + self.dv_dx)
    }

    /// The strain's magnitude, the root of `2 S:S`.
    pub fn strain(&self) -> f64 {
        let shear = self.shear_strain();
        (2.0 * (self.du_dx.powi(2) + self.dv_dy.powi(2) + 2.0 * shear * shear)).sqrt()
    }

    /// The middle eigenvalue of `S² + Ω²`, below zero within a vortex (Jeong and Hussain 1995, *Journal of Fluid
    /// Mechanics* 285, 69-94); what is not in the plane of the image counts as nothing.
    pub fn lambda2(&self) -> f64 {
        // S² + Ω² is the symmetric part of the gradient's square.
        let xx = self.du_dx.powi(2) + self.du_dy * self.dv_dx;
        let yy = self.dv_dy.powi(2) + self.du_dy * self.dv_dx;
        let xy = 0.5 * (self.du_dx + self.dv_dy) * (self.du_dy + self.dv_dx);
        let (mean, spread) = (0.5 * (xx + yy), (0.5 * (xx - yy)).hypot(xy));
        let (high, low) = (mean + spread, mean - spread);
        // The third eigenvalue is that of the missing direction, zero.
        high.min(0.0).max(low)
    }

    /// The rate at which the fluid swirls around a point that moves with it: the imaginary part of the gradient's
    /// eigenvalues, zero where these are real (Zhou, Adrian, Balachandar and Kendall 1999, *Journal of Fluid Mechanics*
    /// 387, 353-396).
    pub fn swirling_strength(&self) -> f64 {
        let determinant = self.du_dx * self.dv_dy - self.du_dy * self.dv_dx;
        let square = determinant - 0.25 * self.divergence().powi(2);
        if square.is_nan() { f64::NAN } else { square.max(0.0).sqrt() }
    }
}

/// The derivatives at each vector of a field, by differences over both neighbours along each axis, or over one where
/// the other is missing, masked or not valid: at a border, first order instead of second. NaN where an axis has none.
///
/// Vectors that validation has replaced count if `replaced` says so.
///
/// ```
/// use terzetto_kernels::{Flags, Vector, VectorField, fields::derivatives};
/// // A solid body that turns counter-clockwise by 0.02 rad.
/// let vector = |index: usize| {
///     let (x, y) = (16.0 * (index % 5) as f64, 16.0 * (index / 5) as f64);
///     Vector { x, y, dx: 0.02 * y, dy: -0.02 * x, correlation: 1.0, peak_ratio: 2.0, flags: Flags::default() }
/// };
/// let field = VectorField { nx: 5, ny: 5, vectors: (0..25).map(vector).collect() };
/// for point in derivatives(&field, false) {
///     assert!((point.vorticity() - 0.04).abs() < 1e-12 && point.divergence().abs() < 1e-12);
///     assert!((point.swirling_strength() - 0.02).abs() < 1e-12 && point.lambda2() < 0.0);
/// }
/// ```
pub fn derivatives(field: &VectorField, replaced: bool) -> Vec<Derivatives> {
    let value = |index: usize| {
        let vector = &field.vectors[index];
        let counts = vector.flags.is_valid() || (replaced && vector.flags.contains(crate::Flags::REPLACED));
        (counts && vector.dx.is_finite() && vector.dy.is_finite()).then_some(vector)
    };
    let slope = |index: usize, position: usize, count: usize, stride: usize| {
        let before = (position > 0).then(|| value(index - stride)).flatten();
        let after = (position + 1 < count).then(|| value(index + stride)).flatten();
        let (low, high) = (before.or(value(index))?, after.or(value(index))?);
        let way = (high.x - low.x) + (high.y - low.y);
        (way > 0.0).then(|| [(high.dx - low.dx) / way, (high.dy - low.dy) / way])
    };
    (0..field.vectors.len())
        .map(|index| {
            let along_x = slope(index, index % field.nx, field.nx, 1);
            let along_y = slope(index, index / field.nx, field.ny, field.nx);
            match (value(index), along_x, along_y) {
                (Some(_), Some([du_dx, dv_down_dx]), Some([du_down, dv_down_down])) => {
                    Derivatives { du_dx, du_dy: -du_down, dv_dx: -dv_down_dx, dv_dy: dv_down_down }
                }
                _ => Derivatives::NONE,
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Flags, Flow, Vector};

    fn field(n: usize, step: f64, flow: &Flow) -> VectorField {
        let vector = |index: usize| {
            let (x, y) = (step * (index % n) as f64, step * (index / n) as f64);
            let (dx, dy) = flow.displacement(x, y);
            Vector { x, y, dx, dy, correlation: 1.0, peak_ratio: 2.0, flags: Flags::default() }
        };
        VectorField { nx: n, ny: n, vectors: (0..n * n).map(vector).collect() }
    }

    #[test]
    fn a_rotation_and_a_shear_are_exact_everywhere_also_at_the_border() {
        // Positive angles turn x towards y, which is downwards: clockwise.
        for point in derivatives(&field(6, 8.0, &Flow::Rotation { x: 20.0, y: 9.0, angle: 0.03 }), false) {
            assert!((point.vorticity() + 0.06).abs() < 1e-12 && point.strain() < 1e-12);
            assert!((point.lambda2() + 0.0009).abs() < 1e-12);
            assert!((point.swirling_strength() - 0.03).abs() < 1e-12);
        }
        // Faster downwards: the upper side lags behind, so that it turns counter-clockwise.
        for point in derivatives(&field(6, 8.0, &Flow::Shear { dx: 1.0, rate: 0.05 }), false) {
            assert!((point.vorticity() - 0.05).abs() < 1e-12 && (point.shear_strain() + 0.025).abs() < 1e-12);
            assert!((point.strain() - 0.05).abs() < 1e-12 && point.divergence().abs() < 1e-12);
            assert!(point.lambda2().abs() < 1e-12 && point.swirling_strength() < 1e-8, "no vortex");
        }
    }

    #[test]
    fn a_source_has_divergence_and_no_vortex() {
        let mut source = field(5, 4.0, &Flow::Uniform { dx: 0.0, dy: 0.0 });
        source
            .vectors
            .iter_mut()
            .for_each(|vector| (vector.dx, vector.dy) = (0.1 * vector.x, 0.3 * vector.y));
        for point in derivatives(&source, false) {
            assert!((point.divergence() - 0.4).abs() < 1e-12 && point.vorticity().abs() < 1e-12);
            assert!(point.lambda2() >= 0.0 && point.swirling_strength() == 0.0);
        }
    }

    #[test]
    fn a_vortex_has_the_vorticity_of_its_formula() {
        let (peak, radius) = (4.0, 60.0);
        let vortex = field(65, 4.0, &Flow::Vortex { x: 128.0, y: 128.0, peak, radius });
        let found = derivatives(&vortex, false);
        // Lamb and Oseen: at the centre, twice the rate of turning; it falls with exp(-r²/a²), a = radius / 1.1209.
        let core = radius / 1.256_431_f64.sqrt();
        let centre = 2.0 * peak / (0.638_172_7 * core);
        for (vector, point) in vortex.vectors.iter().zip(&found) {
            let square = (vector.x - 128.0).powi(2) + (vector.y - 128.0).powi(2);
            let wanted = -centre * (-square / (core * core)).exp();
            assert!((point.vorticity() - wanted).abs() < 0.01 * centre, "{} {wanted}", point.vorticity());
        }
        assert!(found[32 * 65 + 32].lambda2() < 0.0 && found[0].lambda2() > -1e-6);
    }

    #[test]
    fn what_is_not_valid_has_no_say() {
        let mut sheared = field(5, 8.0, &Flow::Shear { dx: 0.0, rate: 0.05 });
        (sheared.vectors[12].dx, sheared.vectors[12].flags) = (99.0, Flags::MEDIAN_OUTLIER | Flags::REPLACED);
        let found = derivatives(&sheared, false);
        assert!(found[12].vorticity().is_nan());
        for (index, point) in found.iter().enumerate().filter(|(index, _)| *index != 12) {
            assert!((point.vorticity() - 0.05).abs() < 1e-12, "{index}");
        }
        assert!(derivatives(&sheared, true)[7].vorticity().abs() > 1.0, "asked for, it counts");
    }
}
