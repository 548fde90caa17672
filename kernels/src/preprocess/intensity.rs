//! Intensities changed pixel by pixel.

use super::Scratch;
use crate::Image;

/// Stretches intensities so that two percentiles become 0 and `top`, and clips.
pub(super) fn rescale(image: &mut Image, percentiles: [f64; 2], top: f32, scratch: &mut Scratch) {
    let values = &mut scratch.planes[0];
    values.clear();
    values.extend(image.data().iter().filter(|value| value.is_finite()));
    if values.is_empty() {
        return;
    }
    let mut at = |percentile: f64| {
        let index = (percentile / 100.0 * (values.len() - 1) as f64).round() as usize;
        *values.select_nth_unstable_by(index, f32::total_cmp).1
    };
    let (low, high) = (at(percentiles[0]), at(percentiles[1]));
    let span = high - low;
    // An image of one value has nothing to stretch.
    let factor = if span > 0.0 { top / span } else { 0.0 };
    image.data_mut().iter_mut().for_each(|value| *value = ((*value - low) * factor).clamp(0.0, top));
}

/// Raises intensities relative to the largest to a power; negative ones become 0.
pub(super) fn gamma(image: &mut Image, exponent: f32) {
    let largest = crate::lanes::max(image.data());
    if largest > 0.0 && largest.is_finite() {
        let change = |value: f32| largest * (value.max(0.0) / largest).powf(exponent);
        image.data_mut().iter_mut().for_each(|value| *value = change(*value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_become_the_ends_and_beyond_is_clipped() {
        let mut image = Image::from_fn(101, 1, |x, _| 200.0 + x as f32);
        rescale(&mut image, [10.0, 90.0], 800.0, &mut Scratch::default());
        assert_eq!(image.get(5, 0), Some(0.0));
        assert_eq!(image.get(10, 0), Some(0.0));
        assert_eq!(image.get(50, 0), Some(400.0));
        assert_eq!(image.get(90, 0), Some(800.0));
        assert_eq!(image.get(100, 0), Some(800.0));
        let mut constant = Image::from_fn(4, 4, |_, _| 7.0);
        rescale(&mut constant, [0.0, 100.0], 255.0, &mut Scratch::default());
        assert!(constant.data().iter().all(|&value| value == 0.0));
    }

    #[test]
    fn gamma_keeps_the_largest_and_lifts_the_rest() {
        let mut image = Image::new(4, 1, vec![-3.0, 0.0, 25.0, 100.0]).unwrap();
        gamma(&mut image, 0.5);
        let wanted = [0.0, 0.0, 50.0, 100.0];
        for (value, wanted) in image.data().iter().zip(wanted) {
            assert!((value - wanted).abs() < 1e-4, "{value} for {wanted}");
        }
    }
}
