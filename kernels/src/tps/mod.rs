//! Thin-plate splines: the smoothest surface near given values.
//!
//! Of all surfaces `f`, the spline makes the sum of squared distances from the values plus `smoothing`
//! times the bending energy least (Duchon 1976; Wahba, *Spline Models for Observational Data*):
//!
//! ```text
//! f(p) = a0 + a1 x + a2 y + sum over i of w_i phi(|p - p_i|),   phi(r) = r² ln r
//! ```
//!
//! with weights from the linear system `(K + smoothing I) w + P a = values`, `Pᵀ w = 0`. Without smoothing it
//! passes through the values. [`ThinPlateSpline`] takes points anywhere; [`GridSpline`] is the form that
//! PIV needs between passes: a regular grid in overlapping sub-domains, factorised once.

mod axis;
mod grid;

pub use grid::{Axis, GridSpline};

use crate::PivError;
use nalgebra::{DMatrix, DVector};

/// A spline through points in the plane that carry two values each, such as `[dx, dy]`.
///
/// ```
/// use terzetto_kernels::tps::ThinPlateSpline;
///
/// let points = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0], [5.0, 5.0]];
/// let values = points.map(|[x, y]| [0.1 * x + 1.0, x * y / 50.0]);
/// let spline = ThinPlateSpline::fit(&points, &values, 0.0)?;
/// let [u, v] = spline.at(5.0, 5.0);
/// assert!((u - 1.5).abs() < 1e-9 && (v - 0.5).abs() < 1e-9);
/// assert!((spline.at(2.0, 8.0)[0] - 1.2).abs() < 1e-9, "a plane stays a plane");
/// # Ok::<(), terzetto_kernels::PivError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ThinPlateSpline {
    points: Vec<[f64; 2]>,
    /// Weights of the points, then of 1, x, y; for both values.
    weights: [DVector<f64>; 2],
}

impl ThinPlateSpline {
    /// Fits a spline; `smoothing` is in the square of the points' unit, 0 for a spline through the values.
    ///
    /// # Errors
    /// [`PivError::Parameter`] if `smoothing` is negative or lengths differ; [`PivError::Spline`] if the
    /// points are fewer than three, on one line, or twice at one place without smoothing.
    pub fn fit(
        points: &[[f64; 2]],
        values: &[[f64; 2]],
        smoothing: f64,
    ) -> Result<ThinPlateSpline, PivError> {
        PivError::check(values.len() == points.len(), "values", values.len(), "as many as points")?;
        check_smoothing(smoothing)?;
        let count = points.len();
        let system = system(points, smoothing).lu();
        let solve = |component: usize| {
            let right =
                DVector::from_fn(count + 3, |i, _| values.get(i).map_or(0.0, |value| value[component]));
            let weights =
                system.solve(&right).filter(|weights| weights.iter().all(|weight| weight.is_finite()));
            weights.ok_or(PivError::Spline { points: count })
        };
        if count < 3 {
            return Err(PivError::Spline { points: count });
        }
        Ok(ThinPlateSpline { weights: [solve(0)?, solve(1)?], points: points.to_vec() })
    }

    /// The two values at a place.
    pub fn at(&self, x: f64, y: f64) -> [f64; 2] {
        let mut sum = [0.0; 2];
        for (index, value) in basis(&self.points, x, y).enumerate() {
            sum[0] += value * self.weights[0][index];
            sum[1] += value * self.weights[1][index];
        }
        sum
    }
}

fn check_smoothing(smoothing: f64) -> Result<(), PivError> {
    let good = smoothing >= 0.0 && smoothing.is_finite();
    PivError::check(good, "spline.smoothing", smoothing, "0 or more")
}

/// `r² ln r` from the square of `r`.
fn kernel(square: f64) -> f64 {
    if square > 0.0 { 0.5 * square * square.ln() } else { 0.0 }
}

/// The functions that a spline is made of at a place: one for each point, then 1, x and y.
fn basis(points: &[[f64; 2]], x: f64, y: f64) -> impl Iterator<Item = f64> {
    points.iter().map(move |point| kernel((x - point[0]).powi(2) + (y - point[1]).powi(2))).chain([1.0, x, y])
}

/// The matrix `[K + smoothing I, P; Pᵀ, 0]`.
fn system(points: &[[f64; 2]], smoothing: f64) -> DMatrix<f64> {
    let count = points.len();
    let mut matrix = DMatrix::zeros(count + 3, count + 3);
    for (row, point) in points.iter().enumerate() {
        for (column, value) in basis(points, point[0], point[1]).enumerate() {
            matrix[(row, column)] = value;
            matrix[(column, row)] = value;
        }
        matrix[(row, row)] += smoothing;
    }
    matrix
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scattered(count: usize) -> Vec<[f64; 2]> {
        let mut rng = fastrand::Rng::with_seed(3);
        (0..count).map(|_| [rng.f64() * 20.0, rng.f64() * 20.0]).collect()
    }

    #[test]
    fn smoothing_keeps_planes_and_damps_noise() {
        let points = scattered(120);
        let mut rng = fastrand::Rng::with_seed(4);
        let noisy: Vec<_> =
            points.iter().map(|[x, y]| [1.0 + x - 0.5 * y, 0.2 * (rng.f64() - 0.5)]).collect();
        let error = |smoothing: f64| {
            let spline = ThinPlateSpline::fit(&points, &noisy, smoothing).unwrap();
            let at = points.iter().map(|&[x, y]| (spline.at(x, y), 1.0 + x - 0.5 * y));
            let (mut plane, mut noise) = (0.0_f64, 0.0);
            at.for_each(|([u, v], exact)| {
                plane = plane.max((u - exact).abs());
                noise += v * v;
            });
            (plane, noise)
        };
        let (exact, rough) = error(0.0);
        let (still_exact, smooth) = error(10.0);
        assert!(exact < 1e-8 && still_exact < 1e-8, "{exact} {still_exact}");
        assert!(smooth < 0.5 * rough, "{smooth} {rough}");
    }

    #[test]
    fn points_that_bear_no_spline_are_refused() {
        let values = [[0.0; 2]; 4];
        let line = [[0.0, 0.0], [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]];
        assert_eq!(ThinPlateSpline::fit(&line, &values, 0.0).unwrap_err(), PivError::Spline { points: 4 });
        assert!(ThinPlateSpline::fit(&line[..2], &values[..2], 0.0).is_err());
        assert!(ThinPlateSpline::fit(&line, &values[..2], 0.0).is_err());
        assert!(ThinPlateSpline::fit(&line, &values, -1.0).is_err());
    }
}
