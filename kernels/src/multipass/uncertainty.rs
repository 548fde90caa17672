//! How uncertain a displacement is, from the statistics of its correlation.
//!
//! Wieneke 2015, *PIV uncertainty quantification from correlation statistics*, Measurement Science and Technology 26,
//! 074002. Both images are deformed by the measured field, so that their windows should be equal. What still differs
//! shows how well the place of the peak is known: at the true displacement the correlations a pixel to the right and a
//! pixel to the left are equal, `C+ = C-`, but for noise. Their difference is a sum over pixels,
//!
//! ```text
//! dC = sum of dC_i        dC_i = a(x) b(x + 1) - a(x + 1) b(x)
//! ```
//!
//! and so its variance is the sum of the covariances of all `dC_i`, which are not zero for pixels of the same particle.
//! The fit of a Gaussian through three points turns the standard deviation of `dC` into that of the displacement.
//!
//! Two things are ours. Covariances count up to the distance at which their sum is largest, where the paper sums until
//! they fall below 5 % of the variance: so the uncertainty is rather too large than too small (by a sixth at most). And
//! as windows were put where `dC` vanishes, the covariances that are left out sum up to less than nothing: the sum is
//! divided by the share of the pairs that it lacks.
//!
//! The uncertainty is that of random errors: noise, lost partners, gradients within a window. Peak locking and other
//! systematic errors are not seen. Of errors that are known, it covers so many, where 68 % is right (2 deformed passes,
//! the second with windows of 16 or 32 px; `tests/uncertainty.rs` prints them):
//!
//! | images | three-point fit | two-dimensional fit |
//! |---|---|---|
//! | noise of 5 to 10 % of the brightest particle | 58 to 70 % | 57 to 69 % |
//! | 10 to 20 % of the particles lost | 58 to 64 % | 55 to 58 % |
//!
//! The model is that of the three-point fit, and the other fit has larger errors where partners are lost. If a pass
//! repeats the windows of the pass before, errors are a third larger than the uncertainty: each vector is measured
//! against the errors of its neighbours, which no window sees.

use super::{
    grid::Grid,
    window::{Content, Frame},
};
use crate::field::VectorField;

/// Pixels between two contributions up to which their covariance counts: what two particles of 5 px take.
const FARTHEST: usize = 9;

/// The standard deviation of both components of each vector, px; NaN where a vector is not valid, or where windows do
/// not correlate. The frames are deformed by the measured field.
pub(super) fn uncertainties(frames: [Frame<'_>; 2], grid: &Grid, field: &VectorField) -> Vec<[f64; 2]> {
    let n = grid.window[0].max(grid.window[1]);
    let mut windows = [vec![0.0; n * n], vec![0.0; n * n]];
    let mut differences = vec![0.0; n * n];
    let mut estimate = |index: usize| {
        let corner = grid.corner(index).map(|place| place as isize);
        for (frame, window) in frames.iter().zip(&mut windows) {
            if !matches!(frame.cut(corner, grid.window, window), Content::Pattern(_)) {
                return [f64::NAN; 2];
            }
        }
        let [a, b] = &windows;
        [[1, 0], [0, 1]].map(|step| along(a, b, n, step, &mut differences))
    };
    let each = field.vectors.iter().enumerate();
    each.map(|(index, vector)| if vector.flags.is_valid() { estimate(index) } else { [f64::NAN; 2] })
        .collect()
}

/// The standard deviation of the displacement along one axis, of which `step` is a pixel.
fn along(a: &[f32], b: &[f32], n: usize, [right, down]: [usize; 2], differences: &mut [f32]) -> f64 {
    let (columns, rows) = (n - right, n - down);
    let next = down * n + right;
    let (mut middle, mut beside) = (0.0, 0.0);
    for y in 0..rows {
        for x in 0..columns {
            let at = y * n + x;
            let (forwards, backwards) = (a[at] * b[at + next], a[at + next] * b[at]);
            differences[y * columns + x] = forwards - backwards;
            middle += f64::from(a[at] * b[at] + a[at + next] * b[at + next]) / 2.0;
            beside += f64::from(forwards + backwards);
        }
    }
    let deviation = variance_of_sum(&differences[..columns * rows], columns).sqrt();
    // The fit needs logarithms of the peak, of what is beside it, and of that with half of the deviation more and less.
    let side = beside / 2.0;
    let (high, low) = (side + deviation / 2.0, side - deviation / 2.0);
    if !(low > 0.0 && middle > side) {
        return f64::NAN;
    }
    (high.ln() - low.ln()) / (4.0 * middle.ln() - 2.0 * high.ln() - 2.0 * low.ln())
}

/// The variance of the sum of values that depend on their neighbours: the largest sum of covariances up to a distance.
fn variance_of_sum(values: &[f32], columns: usize) -> f64 {
    let rows = values.len() / columns;
    let total = (values.len() * values.len()) as f64;
    let (mut sum, mut pairs, mut best) = (0.0, 0.0, 0.0_f64);
    for distance in 0..=FARTHEST.min(columns.min(rows) / 3) {
        for (dx, dy) in ring(distance as isize) {
            // A pair counts in both orders.
            let weight = if distance == 0 { 1.0 } else { 2.0 };
            let left = (-dx).max(0) as usize;
            let width = columns - dx.unsigned_abs();
            let height = rows - dy;
            let mut lanes = [0.0; 8];
            for y in 0..height {
                let first = &values[y * columns + left..][..width];
                let second = &values[(y + dy) * columns + left.wrapping_add_signed(dx)..][..width];
                crate::lanes::add_products(first, second, &mut lanes);
            }
            sum += weight * f64::from(lanes.iter().sum::<f32>());
            pairs += weight * (width * height) as f64;
        }
        best = best.max(sum / (1.0 - pairs / total));
    }
    best
}

/// Half of the offsets whose larger component is `distance`: those downwards, and to the right in the same row.
fn ring(distance: isize) -> impl Iterator<Item = (isize, usize)> {
    let all = (0..=distance).flat_map(move |dy| (-distance..=distance).map(move |dx| (dx, dy)));
    let on_ring = move |&(dx, dy): &(isize, isize)| dx.abs().max(dy) == distance && (dy > 0 || dx >= 0);
    all.filter(on_ring).map(|(dx, dy)| (dx, dy.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_hold_half_of_all_offsets() {
        assert_eq!(ring(0).collect::<Vec<_>>(), [(0, 0)]);
        assert_eq!(ring(1).collect::<Vec<_>>(), [(1, 0), (-1, 1), (0, 1), (1, 1)]);
        assert_eq!((0..4).map(|distance| ring(distance).count()).collect::<Vec<_>>(), [1, 4, 8, 12]);
    }

    #[test]
    fn the_variance_of_a_sum_is_that_of_the_definition() {
        // Sums of four neighbours depend on each other: the variance of their sum is sixteen times that of the numbers.
        let mut rng = fastrand::Rng::with_seed(3);
        let mut mean = 0.0;
        for _ in 0..200 {
            let noise: Vec<f32> = (0..31 * 31).map(|_| rng.f32() - 0.5).collect();
            let sums: Vec<f32> = (0..900)
                .map(|index| {
                    let at = index / 30 * 31 + index % 30;
                    noise[at] + noise[at + 1] + noise[at + 31] + noise[at + 32]
                })
                .collect();
            let average = sums.iter().sum::<f32>() / 900.0;
            let sums: Vec<f32> = sums.iter().map(|sum| sum - average).collect();
            mean += variance_of_sum(&sums, 30) / 200.0;
        }
        let wanted = 900.0 * 16.0 / 12.0;
        assert!((0.95..1.4).contains(&(mean / wanted)), "{mean} {wanted}");
    }
}
