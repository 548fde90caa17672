//! One window cut out of an image.

use super::mask::Mask;
use crate::{Image, lanes};
use std::ops::Range;

/// What a window holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Content {
    /// A pattern, with its Euclidean norm.
    Pattern(f32),
    /// The same value throughout, or none.
    Flat,
    /// Too many pixels are masked or outside the image.
    Masked,
}

/// An image and which of its pixels count.
#[derive(Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) image: &'a Image,
    pub(super) mask: Option<&'a Mask>,
    /// Largest share of a window that may not count.
    pub(super) masked_max: f64,
    /// Whether what is darker than the window's mean is taken for background.
    pub(super) clip: bool,
    /// Largest magnitude in the image: what is as small beside it as rounding makes errors is no signal.
    pub(super) magnitude: f32,
}

/// The root mean square, as a part of the image's magnitude, up to which a pattern may come from rounding: of a mean
/// that was subtracted, of a filter, of an interpolation. A single count in a window of 64 px of a 16-bit image is more.
const ROUNDING: f32 = 2e-7;

impl Frame<'_> {
    /// Copies a window's `w` by `h` pixels from a corner on, which may lie outside, without their mean, into the middle
    /// of a square of the longer side. Pixels that do not count become zero, which correlates with nothing, as is what
    /// is beside a window that is no square.
    pub(super) fn cut(&self, [left, top]: [isize; 2], [w, h]: [usize; 2], out: &mut [f32]) -> Content {
        let n = w.max(h);
        let clip = |start: isize, side: usize, length: usize| {
            let end = (start + side as isize).clamp(0, length as isize) as usize;
            (start.max(0) as usize).min(end)..end
        };
        let (columns, rows) = (clip(left, w, self.image.width()), clip(top, h, self.image.height()));
        // The first pixel of the square, of which the window is the middle.
        let [left, top] = [left - ((n - w) / 2) as isize, top - ((n - h) / 2) as isize];
        let inside = columns.len() * rows.len();
        let counted = self.mask.map_or(inside, |mask| mask.count(columns.clone(), rows.clone()));
        if ((w * h - counted) as f64) > self.masked_max * (w * h) as f64 {
            return Content::Masked;
        }
        let mut sums = [0.0; 8];
        if counted == n * n {
            let width = self.image.width();
            let lines = self.image.data()[rows.start * width + columns.start..].chunks(width);
            for (target, line) in out.chunks_exact_mut(n).zip(lines) {
                lanes::copy_adding(target, &line[..n], &mut sums);
            }
        } else {
            out.fill(0.0);
            for y in rows.clone() {
                let line = &self.image.row(y)[columns.clone()];
                let start = (y as isize - top) as usize * n + (columns.start as isize - left) as usize;
                let target = &mut out[start..start + columns.len()];
                match self.mask {
                    None => lanes::copy_adding(target, line, &mut sums),
                    Some(mask) => {
                        for ((target, &value), &valid) in
                            target.iter_mut().zip(line).zip(mask.row(y, columns.clone()))
                        {
                            *target = if valid { value } else { 0.0 };
                            sums[0] += *target;
                        }
                    }
                }
            }
        }
        let mean = sums.iter().sum::<f32>() / counted as f32;
        let mut energy =
            self.change_counted([left, top], [&columns, &rows], counted, out, |value| value - mean);
        if self.clip {
            self.change_counted([left, top], [&columns, &rows], counted, out, |value| value.max(0.0));
            let rest = lanes::sum(out) / counted as f32;
            energy = self.change_counted([left, top], [&columns, &rows], counted, out, |value| value - rest);
        }
        // What rounding leaves of a constant is no pattern; squares below the normal numbers have lost their digits.
        let rounding = (5.0 * mean.abs()).max(self.magnitude) * ROUNDING;
        let least = (rounding * rounding).max(f32::MIN_POSITIVE) * counted as f32;
        let is_pattern = energy > least && energy.is_finite();
        if is_pattern { Content::Pattern(energy.sqrt()) } else { Content::Flat }
    }

    /// Changes the pixels of a window that count, of which there are `counted`; returns the window's energy.
    #[inline(always)]
    fn change_counted(
        &self,
        [left, top]: [isize; 2],
        [columns, rows]: [&Range<usize>; 2],
        counted: usize,
        out: &mut [f32],
        change: impl Fn(f32) -> f32,
    ) -> f32 {
        if counted == out.len() {
            return lanes::change_summing_squares(out, change);
        }
        let n = out.len().isqrt();
        for y in rows.clone() {
            let row = (y as isize - top) as usize * n;
            for x in columns.clone() {
                if self.mask.is_none_or(|mask| mask.is_valid(x, y)) {
                    let value = &mut out[row + (x as isize - left) as usize];
                    *value = change(*value);
                }
            }
        }
        lanes::dot(out, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image() -> Image {
        Image::from_fn(10, 8, |x, y| (x * x + 3 * y) as f32)
    }

    #[test]
    fn a_window_inside_loses_its_mean() {
        let image = image();
        let frame = Frame { image: &image, mask: None, masked_max: 0.0, clip: false, magnitude: 0.0 };
        let mut out = [0.0; 16];
        let Content::Pattern(norm) = frame.cut([6, 4], [4; 2], &mut out) else { panic!("a pattern") };
        assert!(out.iter().sum::<f32>().abs() < 1e-3);
        assert!((out[1] - out[0] - 13.0).abs() < 1e-3 && (out[4] - out[0] - 3.0).abs() < 1e-3);
        let energy: f32 = out.iter().map(|value| value * value).sum();
        assert!((norm - energy.sqrt()).abs() < 1e-3);
    }

    #[test]
    fn what_is_outside_or_masked_is_zero_and_too_much_of_it_is_refused() {
        let image = image();
        let mask = Mask::from_image(&Image::from_fn(10, 8, |x, _| if x == 0 { 0.0 } else { 1.0 }));
        let frame = Frame { image: &image, mask: Some(&mask), masked_max: 0.5, clip: false, magnitude: 0.0 };
        let mut out = [9.0; 16];
        // One column outside, one masked, two that count.
        let Content::Pattern(_) = frame.cut([-1, 0], [4; 2], &mut out) else { panic!("a pattern") };
        assert!(out.chunks(4).all(|row| row[0] == 0.0 && row[1] == 0.0));
        assert!(out.iter().sum::<f32>().abs() < 1e-4);
        assert!((out[3] - out[2] - 3.0).abs() < 1e-5);
        assert_eq!(frame.cut([-2, 0], [4; 2], &mut out), Content::Masked);
        assert_eq!(frame.cut([-50, 900], [4; 2], &mut out), Content::Masked);
    }

    #[test]
    fn a_rectangle_lies_in_the_middle_of_zeros() {
        let image = image();
        let frame = Frame { image: &image, mask: None, masked_max: 0.0, clip: false, magnitude: 0.0 };
        let mut out = [9.0; 36];
        let Content::Pattern(norm) = frame.cut([2, 3], [6, 2], &mut out) else { panic!("a pattern") };
        let rows: Vec<&[f32]> = out.chunks(6).collect();
        assert!(rows[..2].iter().chain(&rows[4..]).all(|row| row.iter().all(|value| *value == 0.0)));
        assert!((rows[3][0] - rows[2][0] - 3.0).abs() < 1e-4 && (rows[2][1] - rows[2][0] - 5.0).abs() < 1e-4);
        assert!(out.iter().sum::<f32>().abs() < 1e-3);
        assert!((norm * norm / out.iter().map(|value| value * value).sum::<f32>() - 1.0).abs() < 1e-5);
        assert_eq!(frame.cut([2, 7], [6, 2], &mut out), Content::Masked);
    }

    #[test]
    fn clipping_levels_the_background() {
        let image = Image::from_fn(8, 8, |x, y| if (x, y) == (3, 3) { 64.0 } else { (x % 2) as f32 });
        let frame = Frame { image: &image, mask: None, masked_max: 0.0, clip: true, magnitude: 0.0 };
        let mut out = [0.0; 64];
        let Content::Pattern(_) = frame.cut([0, 0], [8; 2], &mut out) else { panic!("a pattern") };
        assert!(out.iter().sum::<f32>().abs() < 1e-3);
        assert_eq!(out[0], out[1], "the background's pattern is gone");
        assert!(out[27] > 60.0);
    }

    #[test]
    fn constants_are_flat_whatever_their_value() {
        for value in [0.0, 7.0, 0.1, 12_345.67, f32::NAN] {
            let image = Image::from_fn(16, 16, |_, _| value);
            let frame = Frame { image: &image, mask: None, masked_max: 0.0, clip: false, magnitude: 0.0 };
            assert_eq!(frame.cut([0, 0], [16; 2], &mut [0.0; 256]), Content::Flat, "{value}");
        }
    }
}
