//! The minimum and the median around each pixel, subtracted.
//!
//! A square around a pixel at the border is cut off there.

use super::Scratch;
use crate::Image;

/// Subtracts the minimum within `radius`.
pub(super) fn minimum(image: &mut Image, radius: usize, scratch: &mut Scratch) {
    let width = image.width();
    if image.data().is_empty() {
        return;
    }
    // A square's minimum is that of its rows' minima.
    let [across, lowest] = &mut scratch.planes;
    across.clear();
    across.extend_from_slice(image.data());
    for (target, source) in across.chunks_exact_mut(width).zip(image.data().chunks_exact(width)) {
        minimum_along(target, source, radius, 1);
    }
    lowest.clear();
    lowest.extend_from_slice(across);
    minimum_along(lowest, across, radius, width);
    for (value, lowest) in image.data_mut().iter_mut().zip(lowest.iter()) {
        *value -= lowest;
    }
}

/// Each value of `target`, a copy of `source`, becomes the minimum of those at most `radius` away, which are
/// `stride` apart: by whole shifted lines, which vectorises, while a cleverer queue would not.
fn minimum_along(target: &mut [f32], source: &[f32], radius: usize, stride: usize) {
    for shift in (1..=radius).map(|distance| distance * stride).take_while(|&shift| shift < source.len()) {
        let kept = source.len() - shift;
        let lower = |value: &mut f32, other: &f32| *value = if other < value { *other } else { *value };
        target[..kept].iter_mut().zip(&source[shift..]).for_each(|(value, other)| lower(value, other));
        target[shift..].iter_mut().zip(&source[..kept]).for_each(|(value, other)| lower(value, other));
    }
}

/// Subtracts the median within `radius`; what is below becomes 0.
pub(super) fn median(image: &mut Image, radius: usize, scratch: &mut Scratch) {
    let (width, height) = (image.width(), image.height());
    let [source, sorted] = &mut scratch.planes;
    source.clear();
    source.extend_from_slice(image.data());
    for (y, line) in image.data_mut().chunks_exact_mut(width.max(1)).enumerate() {
        let rows = y.saturating_sub(radius)..(y + radius + 1).min(height);
        let column = |x: usize| rows.clone().map(move |row| row * width + x);
        // The square's values stay sorted while it slides along the row: a column comes in, one goes.
        sorted.clear();
        for x in 0..radius.min(width) {
            column(x).for_each(|index| insert(sorted, source[index]));
        }
        for (x, value) in line.iter_mut().enumerate() {
            if x + radius < width {
                column(x + radius).for_each(|index| insert(sorted, source[index]));
            }
            if let Some(gone) = x.checked_sub(radius + 1) {
                column(gone).for_each(|index| remove(sorted, source[index]));
            }
            *value = (*value - middle(sorted)).max(0.0);
        }
    }
}

fn insert(sorted: &mut Vec<f32>, value: f32) {
    let place = sorted.partition_point(|other| other.total_cmp(&value).is_lt());
    sorted.insert(place, value);
}

fn remove(sorted: &mut Vec<f32>, value: f32) {
    let place = sorted.partition_point(|other| other.total_cmp(&value).is_lt());
    sorted.remove(place);
}

/// The middle of sorted values, or the mean of the two in the middle.
pub(super) fn middle(sorted: &[f32]) -> f32 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { 0.5 * (sorted[half - 1] + sorted[half]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: usize, height: usize) -> Image {
        let mut rng = fastrand::Rng::with_seed(8);
        Image::from_fn(width, height, |_, _| f32::from(rng.u8(..)))
    }

    /// What is around a pixel, sorted.
    fn around(image: &Image, x: usize, y: usize, radius: usize) -> Vec<f32> {
        let range = |at: usize, size: usize| at.saturating_sub(radius)..(at + radius + 1).min(size);
        let rows = range(y, image.height());
        let mut values: Vec<f32> =
            rows.flat_map(|row| image.row(row)[range(x, image.width())].to_vec()).collect();
        values.sort_by(f32::total_cmp);
        values
    }

    #[test]
    fn both_equal_their_definitions() {
        for (width, height, radius) in [(13, 9, 2), (5, 7, 1), (4, 4, 6), (1, 5, 2), (20, 3, 4)] {
            let source = noise(width, height);
            let (mut low, mut middles) = (source.clone(), source.clone());
            minimum(&mut low, radius, &mut Scratch::default());
            median(&mut middles, radius, &mut Scratch::default());
            for y in 0..height {
                for x in 0..width {
                    let sorted = around(&source, x, y, radius);
                    let value = source.get(x, y).unwrap();
                    assert_eq!(low.get(x, y), Some(value - sorted[0]), "{width} {height} {radius}");
                    assert_eq!(middles.get(x, y), Some((value - middle(&sorted)).max(0.0)));
                }
            }
        }
    }
}
