//! Pixels that are no part of the flow.

use crate::Image;

/// Which pixels count: a wall, a body or a reflection does not.
///
/// ```
/// use terzetto_kernels::{Image, multipass::Mask};
/// // White is flow, black is not.
/// let mask = Mask::from_image(&Image::from_fn(8, 4, |x, _| if x < 4 { 0.0 } else { 255.0 }));
/// assert!(!mask.is_valid(3, 0) && mask.is_valid(4, 0) && !mask.is_valid(8, 0));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mask {
    width: usize,
    height: usize,
    valid: Vec<bool>,
    /// Sums of valid pixels above and left of each corner, so that a window's count takes four of them.
    sums: Vec<u32>,
}

impl Mask {
    /// A mask of the image's size: pixels of value 0 or below, or without a value, do not count.
    pub fn from_image(image: &Image) -> Mask {
        let valid = image.data().iter().map(|&value| value > 0.0).collect();
        Mask::from_pixels(image.width(), image.height(), valid)
    }

    /// A mask of `width` by `height` px: row by row, whether a pixel counts.
    ///
    /// # Panics
    /// If there are not as many values as pixels.
    pub fn from_pixels(width: usize, height: usize, valid: Vec<bool>) -> Mask {
        assert_eq!(valid.len(), width * height, "values for a mask of {width} x {height} px");
        let mut sums = vec![0; (width + 1) * (height + 1)];
        for y in 0..height {
            let mut row = 0;
            for x in 0..width {
                row += u32::from(valid[y * width + x]);
                sums[(y + 1) * (width + 1) + x + 1] = sums[y * (width + 1) + x + 1] + row;
            }
        }
        Mask { width, height, valid, sums }
    }

    /// Width and height, px.
    pub fn size(&self) -> (usize, usize) {
        (self.width, self.height)
    }

    /// Whether a pixel counts; none outside does.
    pub fn is_valid(&self, x: usize, y: usize) -> bool {
        x < self.width && y < self.height && self.valid[y * self.width + x]
    }

    /// The pixels that count in a rectangle inside the image, given by its columns and rows.
    pub(super) fn count(&self, columns: std::ops::Range<usize>, rows: std::ops::Range<usize>) -> usize {
        let at = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        let whole = at(columns.end, rows.end) + at(columns.start, rows.start);
        (whole - at(columns.end, rows.start) - at(columns.start, rows.end)) as usize
    }

    /// Some columns of a row.
    pub(super) fn row(&self, y: usize, columns: std::ops::Range<usize>) -> &[bool] {
        &self.valid[y * self.width..][columns]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_equal_the_pixels_one_by_one() {
        let mut rng = fastrand::Rng::with_seed(2);
        let mask = Mask::from_image(&Image::from_fn(13, 9, |_, _| f32::from(rng.bool())));
        for (columns, rows) in [(0..13, 0..9), (3..7, 2..9), (5..6, 8..9), (4..4, 1..3)] {
            let pixels = rows.clone().flat_map(|y| columns.clone().map(move |x| (x, y)));
            let wanted = pixels.filter(|&(x, y)| mask.is_valid(x, y)).count();
            assert_eq!(mask.count(columns, rows), wanted);
        }
    }
}
