//! Series of images in a folder, and the couples made of them.

mod couples;
mod natural;
mod shard;

use std::{
    error::Error,
    fmt, fs, io,
    path::{Path, PathBuf},
};

pub use couples::{Couple, CoupleRule, Couples, make_couples};
pub use natural::natural_order;
pub use shard::{Shard, ShardError};

/// The file name endings that count as images.
pub const IMAGE_EXTENSIONS: [&str; 5] = ["png", "tif", "tiff", "bmp", "pgm"];

/// A folder holds no series.
#[derive(Debug)]
#[non_exhaustive]
pub enum SeriesError {
    /// The folder cannot be listed.
    Folder(PathBuf, io::Error),
    /// The folder holds fewer than two images.
    TooFew(PathBuf, usize),
}

impl fmt::Display for SeriesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SeriesError::Folder(path, error) => {
                write!(f, "cannot list the folder `{}`: {error}", path.display())
            }
            SeriesError::TooFew(path, count) => {
                let found = match count {
                    0 => "no image",
                    _ => "only one image",
                };
                let endings = IMAGE_EXTENSIONS.join(", ");
                write!(
                    f,
                    "the folder `{}` holds {found} (a couple needs two; images end in {endings})",
                    path.display()
                )
            }
        }
    }
}

impl Error for SeriesError {}

/// The images of a folder, hidden files and folders in it left out, in
/// [natural order](natural_order) of their file names.
///
/// # Errors
///
/// [`SeriesError`] if the folder cannot be listed or holds fewer than two images.
pub fn list_images(folder: &Path) -> Result<Vec<PathBuf>, SeriesError> {
    let failed = |error| SeriesError::Folder(folder.to_owned(), error);
    let mut images = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if is_image(&path) && path.is_file() {
            images.push(path);
        }
    }
    if images.len() < 2 {
        return Err(SeriesError::TooFew(folder.to_owned(), images.len()));
    }
    images.sort_by(|a, b| natural_order(&file_name(a), &file_name(b)));
    Ok(images)
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| IMAGE_EXTENSIONS.contains(&&*ending)) && !file_name(path).starts_with('.')
}

/// A path's file name as text.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
