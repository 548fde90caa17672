//! Local contrast made alike everywhere.
//!
//! Sums over squares come from sums over all pixels above and to the left, four of which make up any
//! square: the cost does not depend on the radius. They are `f64`, as differences of large sums are small.

use super::Scratch;
use crate::Image;

/// Replaces each value by its deviation from the local mean in units of the local standard deviation, or of `floor`
/// if that is larger; negative deviations become 0.
pub(super) fn normalise(image: &mut Image, radius: usize, floor: f64, scratch: &mut Scratch) {
    let (width, height) = (image.width(), image.height());
    let [sums, squares] = &mut scratch.sums;
    integrate(image, sums, |value| value);
    integrate(image, squares, |value| value * value);
    for (y, line) in image.data_mut().chunks_exact_mut(width.max(1)).enumerate() {
        let (top, bottom) = (y.saturating_sub(radius), (y + radius + 1).min(height));
        for (x, value) in line.iter_mut().enumerate() {
            let (left, right) = (x.saturating_sub(radius), (x + radius + 1).min(width));
            let count = ((right - left) * (bottom - top)) as f64;
            let sum = |of: &[f64]| {
                let at = |x: usize, y: usize| of[y * (width + 1) + x];
                at(right, bottom) + at(left, top) - at(right, top) - at(left, bottom)
            };
            let mean = sum(sums) / count;
            let deviation = (sum(squares) / count - mean * mean).max(0.0).sqrt();
            *value = ((f64::from(*value) - mean) / deviation.max(floor)).max(0.0) as f32;
        }
    }
}

/// The sums of `term` over all pixels above and to the left of each corner.
fn integrate(image: &Image, sums: &mut Vec<f64>, term: impl Fn(f64) -> f64) {
    let width = image.width();
    sums.clear();
    sums.resize((width + 1) * (image.height() + 1), 0.0);
    for y in 0..image.height() {
        let (above, below) = sums[y * (width + 1)..].split_at_mut(width + 1);
        let mut row = 0.0;
        for ((below, above), &value) in below[1..].iter_mut().zip(&above[1..]).zip(image.row(y)) {
            row += term(value.into());
            *below = above + row;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bright_and_dim_halves_become_alike() {
        let mut rng = fastrand::Rng::with_seed(6);
        let mut image = Image::from_fn(80, 40, |x, _| {
            let value = rng.f32();
            if x < 40 { 100.0 + 10.0 * value } else { 2000.0 + 900.0 * value }
        });
        normalise(&mut image, 5, 1.0, &mut Scratch::default());
        let mean = |columns: std::ops::Range<usize>| {
            let values: Vec<f32> = (8..32).flat_map(|y| image.row(y)[columns.clone()].to_vec()).collect();
            values.iter().sum::<f32>() / values.len() as f32
        };
        let (dim, bright) = (mean(8..30), mean(50..72));
        assert!((dim / bright - 1.0).abs() < 0.1, "{dim} {bright}");
    }

    #[test]
    fn a_flat_image_becomes_zero_not_noise() {
        let mut image = Image::from_fn(16, 16, |_, _| 1234.5);
        normalise(&mut image, 3, 1.0, &mut Scratch::default());
        assert!(image.data().iter().all(|&value| value.abs() < 1e-3));
    }
}
