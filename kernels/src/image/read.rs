//! Files to images.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageBuffer, ImageReader, Pixel};

use super::{Image, ImageError};

/// Reads a PNG, TIFF or BMP file with 8 or 16 bits a sample.
///
/// The format is told from the file's first bytes, not from its name. Grey
/// pixels keep their raw counts. Colour (which is also what a BMP palette
/// decodes to) becomes luminance with the weights of ITU-R BT.709, exactly the
/// grey value where red, green and blue agree. An alpha channel is ignored.
///
/// # Errors
///
/// Each names the file: [`ImageError::Read`] if it cannot be read,
/// [`ImageError::Decode`] if it is truncated, corrupt or of another format,
/// [`ImageError::PixelKind`] if its samples are floating point.
///
/// ```
/// use terzetto_kernels::{Image, read_image, write_png16};
///
/// let path = std::env::temp_dir().join(format!("ramp-{}.png", std::process::id()));
/// let ramp = Image::from_fn(64, 48, |x, y| (1000 * y + x) as f32);
/// write_png16(&path, &ramp)?;
/// assert_eq!(read_image(&path)?, ramp);
/// # std::fs::remove_file(&path).ok();
/// # Ok::<(), terzetto_kernels::ImageError>(())
/// ```
pub fn read_image(path: &Path) -> Result<Image, ImageError> {
    let bytes = std::fs::read(path).map_err(|source| ImageError::Read { path: path.to_owned(), source })?;
    let decode_error = |source: Box<dyn std::error::Error + Send + Sync>| ImageError::Decode {
        path: path.to_owned(),
        source,
    };
    let decoded = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| decode_error(error.into()))?
        .decode()
        .map_err(|error| decode_error(error.into()))?;

    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let data = match &decoded {
        DynamicImage::ImageLuma8(buffer) => first_samples(buffer),
        DynamicImage::ImageLumaA8(buffer) => first_samples(buffer),
        DynamicImage::ImageLuma16(buffer) => first_samples(buffer),
        DynamicImage::ImageLumaA16(buffer) => first_samples(buffer),
        DynamicImage::ImageRgb8(buffer) => luminances(buffer),
        DynamicImage::ImageRgba8(buffer) => luminances(buffer),
        DynamicImage::ImageRgb16(buffer) => luminances(buffer),
        DynamicImage::ImageRgba16(buffer) => luminances(buffer),
        other => {
            return Err(ImageError::PixelKind {
                path: path.to_owned(),
                kind: format!("{:?}", other.color()),
            });
        }
    };
    Image::new(width, height, data)
}

/// The grey sample of each pixel.
fn first_samples<P>(buffer: &ImageBuffer<P, Vec<P::Subpixel>>) -> Vec<f32>
where
    P: Pixel,
    P::Subpixel: Into<f32>,
{
    buffer.pixels().map(|pixel| pixel.channels()[0].into()).collect()
}

/// The luminance of each pixel, written as a deviation from green so that a
/// grey pixel keeps its count without rounding.
fn luminances<P>(buffer: &ImageBuffer<P, Vec<P::Subpixel>>) -> Vec<f32>
where
    P: Pixel,
    P::Subpixel: Into<f32>,
{
    const RED: f32 = 0.2126;
    const BLUE: f32 = 0.0722;
    buffer
        .pixels()
        .map(|pixel| {
            let channels = pixel.channels();
            let (red, green, blue): (f32, f32, f32) =
                (channels[0].into(), channels[1].into(), channels[2].into());
            green + RED * (red - green) + BLUE * (blue - green)
        })
        .collect()
}
