//! Images to PNG of 16 bits and TIFF of floating-point numbers.

use std::path::Path;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use tiff::encoder::{TiffEncoder, colortype::Gray32Float};

use super::{Image, ImageError};

/// Encodes an image as a 16-bit grey PNG file in memory, so that a caller can
/// write it atomically (a temporary name, then a rename).
///
/// Each value is rounded to the nearest count and clamped to 0..=65535; NaN
/// becomes 0. The compression is the fast one: noise of a camera compresses
/// badly however long one tries.
///
/// # Errors
///
/// [`ImageError::Encode`] if a side is zero or beyond 32 bits.
pub fn encode_png16(image: &Image) -> Result<Vec<u8>, ImageError> {
    let side =
        |value: usize| u32::try_from(value).map_err(|error| ImageError::Encode { source: error.into() });
    let (width, height) = (side(image.width())?, side(image.height())?);
    // The `image` crate takes 16-bit samples in the machine's own byte order.
    let samples: Vec<u8> = image.data().iter().flat_map(|value| count16(*value).to_ne_bytes()).collect();
    let mut file = Vec::with_capacity(samples.len());
    PngEncoder::new_with_quality(&mut file, CompressionType::Fast, FilterType::Adaptive)
        .write_image(&samples, width, height, ExtendedColorType::L16)
        .map_err(|error| ImageError::Encode { source: error.into() })?;
    Ok(file)
}

/// Encodes an image as a grey TIFF file of 32-bit floating-point numbers in memory: for values that 16-bit counts cannot
/// hold.
///
/// ```
/// use terzetto_kernels::{Image, decode_image, image::encode_tiff};
/// let image = Image::from_fn(3, 2, |x, y| -0.5 * x as f32 + y as f32);
/// let file = encode_tiff(&image)?;
/// assert_eq!(decode_image("a.tif".as_ref(), &file)?, image);
/// # Ok::<(), terzetto_kernels::ImageError>(())
/// ```
///
/// # Errors
///
/// [`ImageError::Encode`] if a side is zero or beyond 32 bits.
pub fn encode_tiff(image: &Image) -> Result<Vec<u8>, ImageError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| ImageError::Encode { source };
    let side = |value: usize| u32::try_from(value).map_err(|error| failed(error.into()));
    let (width, height) = (side(image.width())?, side(image.height())?);
    let mut file = std::io::Cursor::new(Vec::new());
    TiffEncoder::new(&mut file)
        .and_then(|mut encoder| encoder.write_image::<Gray32Float>(width, height, image.data()))
        .map_err(|error| failed(error.into()))?;
    Ok(file.into_inner())
}

/// Writes an image as a 16-bit grey PNG file, as [`encode_png16`] encodes it.
///
/// The file is written in place: a reader may see it half written.
///
/// # Errors
///
/// [`ImageError::Encode`] as above; [`ImageError::Write`], which names the
/// file, if it cannot be written.
pub fn write_png16(path: &Path, image: &Image) -> Result<(), ImageError> {
    let file = encode_png16(image)?;
    std::fs::write(path, file).map_err(|source| ImageError::Write { path: path.to_owned(), source })
}

/// The nearest 16-bit count. `as` saturates and takes NaN to 0.
fn count16(value: f32) -> u16 {
    value.round() as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_round_and_saturate() {
        assert_eq!(count16(-3.0), 0);
        assert_eq!(count16(41.5), 42);
        assert_eq!(count16(65_535.0), 65_535);
        assert_eq!(count16(1e9), 65_535);
        assert_eq!(count16(f32::NAN), 0);
    }

    #[test]
    fn an_image_without_pixels_cannot_be_encoded() {
        let nothing = Image::from_fn(0, 0, |_, _| 0.0);
        assert!(matches!(encode_png16(&nothing), Err(ImageError::Encode { .. })));
    }
}
