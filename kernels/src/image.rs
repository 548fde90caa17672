//! Images: a plain row-major array of `f32` counts, and files in and out.
//!
//! A camera delivers 8 or 16-bit counts. The kernels compute in `f32`, which
//! holds both ranges exactly. So one pixel type serves both, and sums of counts
//! do not wrap around. Values are *raw counts*: reading an
//! 8-bit file gives 0 to 255, a 16-bit file 0 to 65535; nothing is rescaled.
//!
//! # Coordinates
//!
//! `x` runs to the right along a row, `y` runs down. Pixel `i` covers the
//! interval `[i, i + 1)`, so that its middle lies at `i + 0.5` and the middle
//! of a 32-pixel window that starts at 0 lies at 16.0.

mod directory;
mod error;
mod read;
mod tiff_file;
mod write;

pub use error::ImageError;
pub use read::{Pages, count_pages, decode_image, read_image, read_image_page};
pub use write::{encode_png16, encode_tiff, write_png16};

/// A grey image: `width * height` counts, row after row, top row first.
///
/// ```
/// use terzetto_kernels::Image;
///
/// let ramp = Image::from_fn(4, 3, |x, y| (10 * y + x) as f32);
/// assert_eq!((ramp.width(), ramp.height()), (4, 3));
/// assert_eq!(ramp.row(2), [20.0, 21.0, 22.0, 23.0]);
/// assert_eq!(ramp.get(3, 1), Some(13.0));
/// assert_eq!(ramp.get(4, 1), None);
/// ```
#[derive(Clone, PartialEq)]
pub struct Image {
    width: usize,
    height: usize,
    data: Vec<f32>,
}

impl Image {
    /// Takes `data`, row-major, as an image of `width` times `height` pixels.
    ///
    /// # Errors
    ///
    /// [`ImageError::Shape`] if a side is zero or `data` does not hold exactly
    /// `width * height` values.
    pub fn new(width: usize, height: usize, data: Vec<f32>) -> Result<Image, ImageError> {
        let area = width.checked_mul(height);
        if width == 0 || height == 0 || area != Some(data.len()) {
            return Err(ImageError::Shape { width, height, len: data.len() });
        }
        Ok(Image { width, height, data })
    }

    /// Makes an image by calling `value(x, y)` once for each pixel, row by row.
    ///
    /// A side of zero gives an image without pixels, which no PIV plan accepts.
    pub fn from_fn(width: usize, height: usize, mut value: impl FnMut(usize, usize) -> f32) -> Image {
        let mut data = Vec::with_capacity(width.saturating_mul(height));
        for y in 0..height {
            data.extend((0..width).map(|x| value(x, y)));
        }
        Image { width, height, data }
    }

    /// Pixels in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn height(&self) -> usize {
        self.height
    }

    /// All pixels, row after row.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// All pixels, row after row, to be changed.
    pub fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// The pixels of row `y`.
    ///
    /// # Panics
    ///
    /// If `y` is not below [`height`](Image::height), as for a slice.
    pub fn row(&self, y: usize) -> &[f32] {
        assert!(y < self.height, "row {y} of an image of {} rows", self.height);
        &self.data[y * self.width..][..self.width]
    }

    /// The pixel in column `x` of row `y`; `None` outside the image.
    pub fn get(&self, x: usize, y: usize) -> Option<f32> {
        (x < self.width && y < self.height).then(|| self.data[y * self.width + x])
    }
}

/// The size only: a debug print of a million counts helps nobody.
impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Image")
            .field("width", &self.width)
            .field("height", &self.height)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_length_is_refused_with_the_numbers() {
        let error = Image::new(4, 3, vec![0.0; 11]).unwrap_err().to_string();
        assert!(error.contains('4') && error.contains('3') && error.contains("11"), "{error}");
        assert!(Image::new(0, 3, Vec::new()).is_err());
        assert!(Image::new(usize::MAX, 2, Vec::new()).is_err());
    }

    #[test]
    fn rows_and_pixels_are_row_major() {
        let image = Image::new(3, 2, vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0]).unwrap();
        assert_eq!(image.row(1), [3.0, 4.0, 5.0]);
        assert_eq!(image.get(2, 0), Some(2.0));
        assert_eq!(image.get(0, 2), None);
    }
}
