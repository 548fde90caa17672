//! The elliptic Gaussian.

use crate::correlation::{CorrelationMap, Peak};

/// The share of the peak's height below which samples are noise.
const LEAST: f32 = 0.05;
/// The functions of a place that the logarithm of a tilted Gaussian is made of.
const TERMS: usize = 6;

/// The top of the Gaussian whose logarithm `c0 + c1 x + c2 y + c3 x² + c4 y² + c5 xy` fits the samples' logarithms best.
///
/// Noise that is the same in all samples `s` is as much as `1 / s` in their logarithms, so that each square counts `s²`
/// times: high samples tell where the top is, and low ones little.
///
/// None if a sample is not above [`LEAST`]: the peak is so narrow that its neighbours say nothing of its shape.
pub(super) fn offset(map: &CorrelationMap, peak: Peak, radius: usize) -> Option<(f64, f64)> {
    let radius = radius as i32;
    let height = map.unbiased(peak.dx, peak.dy)?;
    let mut normal = [[0.0; TERMS + 1]; TERMS];
    for j in -radius..=radius {
        for i in -radius..=radius {
            let sample = map.unbiased(peak.dx + i, peak.dy + j)?;
            if !(sample > LEAST * height && sample.is_finite()) {
                return None;
            }
            let (x, y, relative) = (f64::from(i), f64::from(j), sample / height);
            let (log, weight) = (f64::from(relative.ln()), f64::from(relative * relative));
            add(&mut normal, [1.0, x, y, x * x, y * y, x * y], log, weight);
        }
    }
    let [_, along_x, along_y, curve_x, curve_y, tilt] = solve(&mut normal)?;
    let determinant = 4.0 * curve_x * curve_y - tilt * tilt;
    if determinant <= 0.0 || curve_x >= 0.0 {
        return None;
    }
    let x = (tilt * along_y - 2.0 * curve_y * along_x) / determinant;
    let y = (tilt * along_x - 2.0 * curve_x * along_y) / determinant;
    Some((x, y))
}

/// Adds a sample to the upper triangle of the normal equations, with its right side in the last column.
fn add(normal: &mut [[f64; TERMS + 1]; TERMS], terms: [f64; TERMS], value: f64, weight: f64) {
    for (row, equation) in normal.iter_mut().enumerate() {
        let weighted = weight * terms[row];
        for column in row..TERMS {
            equation[column] += weighted * terms[column];
        }
        equation[TERMS] += weighted * value;
    }
}

/// Solves the normal equations by elimination; none if they determine nothing.
fn solve(normal: &mut [[f64; TERMS + 1]; TERMS]) -> Option<[f64; TERMS]> {
    for row in 0..TERMS {
        let (above, below) = normal.split_at_mut(row + 1);
        let pivot = &above[row];
        if pivot[row] <= f64::EPSILON {
            return None;
        }
        for (equation, index) in below.iter_mut().zip(row + 1..) {
            // The matrix is symmetric and stays so: what is left of the diagonal is the same as above it.
            let factor = pivot[index] / pivot[row];
            for column in index..=TERMS {
                equation[column] -= factor * pivot[column];
            }
        }
    }
    let mut found = [0.0; TERMS];
    for row in (0..TERMS).rev() {
        let known: f64 = (row + 1..TERMS).map(|column| normal[row][column] * found[column]).sum();
        found[row] = (normal[row][TERMS] - known) / normal[row][row];
    }
    Some(found)
}
