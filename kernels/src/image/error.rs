//! What can go wrong with an image or its file.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// The decoder's or encoder's own error, boxed so that the codec crate stays
/// out of this crate's public API.
type CodecError = Box<dyn Error + Send + Sync + 'static>;

/// Why an image could not be made, read or written.
///
/// The message names the file or the argument; [`Error::source`] gives the
/// cause where another error lies below.
#[derive(Debug)]
#[non_exhaustive]
pub enum ImageError {
    /// `data` does not hold `width * height` values, or a side is zero.
    Shape {
        /// Width asked for, in pixels.
        width: usize,
        /// Height asked for, in pixels.
        height: usize,
        /// Number of values given.
        len: usize,
    },
    /// The file could not be read at all.
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The bytes are no whole image of a format that is read.
    Decode {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        source: CodecError,
    },
    /// The image is sound, but its pixels are of a kind that is no intensity
    /// (CMYK, for instance).
    PixelKind {
        /// The file.
        path: PathBuf,
        /// The pixel kind found.
        kind: String,
    },
    /// The file holds several images, and nobody has said which, or has not the page that was asked for.
    Pages {
        /// The file.
        path: PathBuf,
        /// How many pages it has.
        pages: usize,
    },
    /// The image could not be encoded (a side of zero, or one beyond the
    /// format's 32 bits).
    Encode {
        /// What the encoder said.
        source: CodecError,
    },
    /// The file could not be written.
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl fmt::Display for ImageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ImageError::Shape { width, height, len } => {
                write!(f, "data: {len} values cannot fill an image of {width} x {height} pixels")
            }
            ImageError::Read { path, source } => {
                write!(f, "cannot read {}: {source}", path.display())
            }
            ImageError::Decode { path, source } => {
                write!(f, "cannot decode {}: {source}", path.display())
            }
            ImageError::PixelKind { path, kind } => write!(
                f,
                "{}: pixels of kind {kind} are not supported (grey, RGB and palettes are)",
                path.display()
            ),
            ImageError::Pages { path, pages: 1 } => {
                write!(f, "{} has one page, and another one is wanted", path.display())
            }
            ImageError::Pages { path, pages } => {
                write!(f, "{} has {pages} pages: it is a series of images, not an image", path.display())
            }
            ImageError::Encode { source } => write!(f, "cannot encode the image: {source}"),
            ImageError::Write { path, source } => {
                write!(f, "cannot write {}: {source}", path.display())
            }
        }
    }
}

impl Error for ImageError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            ImageError::Shape { .. } | ImageError::PixelKind { .. } | ImageError::Pages { .. } => None,
            ImageError::Read { source, .. } | ImageError::Write { source, .. } => Some(source),
            ImageError::Decode { source, .. } | ImageError::Encode { source } => Some(source.as_ref()),
        }
    }
}
