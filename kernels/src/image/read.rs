//! Files to images.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use super::{
    Image, ImageError,
    tiff_file::{self, Refusal},
};
use image::{DynamicImage, ImageBuffer, ImageReader, Pixel};

/// Reads the image in a PNG, TIFF, BMP, JPEG, WebP, PGM or PPM file.
///
/// The format is told from the file's first bytes, not from its name. TIFF files may be BigTIFF, in tiles or strips,
/// compressed (deflate, LZW, JPEG, Zstd), and have samples of any number of bits up to 16, such as 10, 12 and 14, of 32
/// and 64 bits, signed integers, and floating-point numbers of 16, 32 and 64 bits.
///
/// Grey pixels keep their raw counts, but for a PNG of 1, 2 or 4 bits, whose counts are stretched to 8 bits as the
/// format demands. Numbers of more than 24 significant bits are rounded to `f32`. Colour, also that of a palette,
/// becomes luminance with the weights of ITU-R BT.709, exactly the grey value where red, green and blue agree. An alpha
/// channel is ignored.
///
/// # Errors
///
/// Each names the file: [`ImageError::Read`] if it cannot be read,
/// [`ImageError::Decode`] if it is truncated, corrupt or of another format,
/// [`ImageError::PixelKind`] if its samples are no intensities, such as CMYK,
/// [`ImageError::Pages`] if it has several pages, of which none is the image: see [`read_image_page`].
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
    decode_image(path, &read_file(path)?)
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
    if is_tiff(bytes) {
        let pages = tiff_file::pages(bytes).map_err(|error| decode_error(error.into()))?;
        return match pages[..] {
            [place] => decode_page(path, bytes, place),
            _ => Err(ImageError::Pages { path: path.to_owned(), pages: pages.len() }),
        };
    }
    let reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|error| decode_error(error.into()))?;
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

/// How many images a file holds: the pages of a TIFF file, of which small copies are none; 1 for other formats.
///
/// # Errors
/// As [`read_image`]: a file that cannot be read, or a TIFF file that is damaged.
pub fn count_pages(path: &Path) -> Result<usize, ImageError> {
    let bytes = read_file(path)?;
    Ok(places(path, &bytes)?.len())
}

/// Reads one page of a file, counted from 0; other formats than TIFF have one.
///
/// ```no_run
/// use terzetto_kernels::image::{count_pages, read_image_page};
/// let film = std::path::Path::new("film.tif");
/// for page in 0..count_pages(film)? {
///     println!("page {page} has {} rows", read_image_page(film, page)?.height());
/// }
/// # Ok::<(), terzetto_kernels::ImageError>(())
/// ```
///
/// # Errors
/// As [`read_image`], and [`ImageError::Pages`] if there is no such page.
pub fn read_image_page(path: &Path, page: usize) -> Result<Image, ImageError> {
    Pages::open(path)?.read(page)
}

/// A file whose pages are read one by one; the file is in memory meanwhile, and its pages are not.
///
/// ```
/// use terzetto_kernels::{Image, image::{Pages, encode_tiff}};
/// let path = std::env::temp_dir().join(format!("pages-{}.tif", std::process::id()));
/// std::fs::write(&path, encode_tiff(&Image::from_fn(4, 3, |x, _| x as f32))?)?;
/// let pages = Pages::open(&path)?;
/// assert_eq!((pages.len(), pages.read(0)?.width()), (1, 4));
/// assert!(pages.read(1).is_err());
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Pages {
    path: PathBuf,
    bytes: Vec<u8>,
    places: Vec<usize>,
}

impl Pages {
    /// Opens a file of any format that is read; only TIFF files have more than one page.
    ///
    /// # Errors
    /// As [`count_pages`].
    pub fn open(path: &Path) -> Result<Pages, ImageError> {
        let bytes = read_file(path)?;
        let places = places(path, &bytes)?;
        Ok(Pages { path: path.to_owned(), bytes, places })
    }

    /// How many pages there are; small copies of a page are none.
    #[expect(clippy::len_without_is_empty, reason = "a file without a page is no image, and not opened")]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Reads a page, counted from 0.
    ///
    /// # Errors
    /// As [`read_image`], and [`ImageError::Pages`] if there is no such page.
    pub fn read(&self, page: usize) -> Result<Image, ImageError> {
        match self.places.get(page) {
            Some(&place) if is_tiff(&self.bytes) => decode_page(&self.path, &self.bytes, place),
            Some(_) => decode_image(&self.path, &self.bytes),
            None => Err(ImageError::Pages { path: self.path.clone(), pages: self.places.len() }),
        }
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages")
            .field("path", &self.path)
            .field("pages", &self.places.len())
            .finish_non_exhaustive()
    }
}

fn read_file(path: &Path) -> Result<Vec<u8>, ImageError> {
    std::fs::read(path).map_err(|source| ImageError::Read { path: path.to_owned(), source })
}

/// Whether a file begins as TIFF files do, the large ones (BigTIFF) too, which `image` does not know.
fn is_tiff(bytes: &[u8]) -> bool {
    [b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|magic| bytes.starts_with(*magic))
}

/// Where the pages of a file are.
fn places(path: &Path, bytes: &[u8]) -> Result<Vec<usize>, ImageError> {
    if !is_tiff(bytes) {
        return Ok(vec![0]);
    }
    tiff_file::pages(bytes)
        .map_err(|error| ImageError::Decode { path: path.to_owned(), source: error.into() })
}

fn decode_page(path: &Path, bytes: &[u8], place: usize) -> Result<Image, ImageError> {
    let path = || path.to_owned();
    let (width, height, data) = tiff_file::read(bytes, place).map_err(|refusal| match refusal {
        Refusal::Decode(error) => ImageError::Decode { path: path(), source: error.into() },
        Refusal::Kind(kind) => ImageError::PixelKind { path: path(), kind },
    })?;
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

/// The luminance of each pixel.
fn luminances<P>(buffer: &ImageBuffer<P, Vec<P::Subpixel>>) -> Vec<f32>
where
    P: Pixel,
    P::Subpixel: Into<f32>,
{
    buffer
        .pixels()
        .map(|pixel| {
            let channels = pixel.channels();
            luminance(channels[0].into(), channels[1].into(), channels[2].into())
        })
        .collect()
}

/// The luminance of a color, written as a deviation from green so that a grey pixel keeps its count without rounding.
pub(super) fn luminance(red: f32, green: f32, blue: f32) -> f32 {
    const RED: f32 = 0.2126;
    const BLUE: f32 = 0.0722;
    green + RED * (red - green) + BLUE * (blue - green)
}
