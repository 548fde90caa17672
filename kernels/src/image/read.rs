//! Files to images.

use std::io::Cursor;
use std::path::Path;

use image::{DynamicImage, ImageBuffer, ImageFormat, ImageReader, Pixel};
use tiff::{
    ColorType, TiffResult,
    decoder::{Decoder, DecodingResult},
};

use super::{Image, ImageError};

/// Reads a PNG, TIFF, BMP or PGM file with 8 or 16 bits a sample, or a grey TIFF of
/// 32 or 64-bit integers or floating-point numbers.
///
/// The format is told from the file's first bytes, not from its name. Grey
/// pixels keep their raw counts; those of a 10 or 12-bit camera come in 16 bits,
/// and stay as they are. Numbers of more than 24 significant bits are rounded
/// to `f32`. Colour (which is also what a BMP palette
/// decodes to) becomes luminance with the weights of ITU-R BT.709, exactly the
/// grey value where red, green and blue agree. An alpha channel is ignored.
///
/// # Errors
///
/// Each names the file: [`ImageError::Read`] if it cannot be read,
/// [`ImageError::Decode`] if it is truncated, corrupt or of another format,
/// [`ImageError::PixelKind`] if its samples are of another kind, such as colours in
/// floating point.
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
    decode_image(path, &bytes)
}

/// The same, of a file's bytes that have been read already; errors name `path`.
///
/// # Errors
///
/// As [`read_image`], but for [`ImageError::Read`].
pub fn decode_image(path: &Path, bytes: &[u8]) -> Result<Image, ImageError> {
    let decode_error = |source: Box<dyn std::error::Error + Send + Sync>| ImageError::Decode {
        path: path.to_owned(),
        source,
    };
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| decode_error(error.into()))?;
    if reader.format() == Some(ImageFormat::Tiff) {
        let wide = read_wide_tiff(bytes).map_err(|error| decode_error(error.into()))?;
        if let Some((width, height, data)) = wide {
            return Image::new(width, height, data);
        }
    }
    let decoded = reader.decode().map_err(|error| decode_error(error.into()))?;

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

/// Width, height and samples of a TIFF file with one sample of 32 or 64 bits a pixel; none for other files.
fn read_wide_tiff(bytes: &[u8]) -> TiffResult<Option<(usize, usize, Vec<f32>)>> {
    let mut decoder = Decoder::new(Cursor::new(bytes))?;
    if !matches!(decoder.colortype()?, ColorType::Gray(32 | 64)) {
        return Ok(None);
    }
    let (width, height) = decoder.dimensions()?;
    let data = match decoder.read_image()? {
        DecodingResult::F32(samples) => samples,
        DecodingResult::F64(samples) => samples.into_iter().map(|sample| sample as f32).collect(),
        DecodingResult::U32(samples) => samples.into_iter().map(|sample| sample as f32).collect(),
        DecodingResult::U64(samples) => samples.into_iter().map(|sample| sample as f32).collect(),
        DecodingResult::I32(samples) => samples.into_iter().map(|sample| sample as f32).collect(),
        DecodingResult::I64(samples) => samples.into_iter().map(|sample| sample as f32).collect(),
        _ => return Ok(None),
    };
    Ok(Some((width as usize, height as usize, data)))
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
