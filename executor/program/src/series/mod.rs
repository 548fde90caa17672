//! Series of images in a folder, and the couples that they make.
//!
//! [`list_images`] lists a folder, [`select`] chooses images by their numbers, [`make_couples`] makes couples by a
//! [`CoupleRule`]. [`read_couples`] reads couples from a file instead.
//!
//! # Where to read
//!
//! `names` takes a file name apart: its number, its role in a couple, and the rest. `by_number` and `by_role` make
//! couples from these, `couples` chooses between them and names the couples. `natural` is the order of the names,
//! `numbers` and `range` are the numbers by which images are chosen, `list` is the file of couples.

mod by_number;
mod by_role;
mod couples;
mod couples_error;
mod list;
mod names;
mod natural;
mod numbers;
mod range;
mod rule;

use std::{
    error::Error,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use terzetto_executor::results::file_name;

pub use couples::{Couple, Couples, LeftOverImage, make_couples, same_name};
pub use couples_error::CouplesError;
pub use list::{CouplesFileError, couple_of, read_couples};
pub use natural::natural_order;
pub use numbers::numbers;
pub use range::IndexRange;
pub use rule::CoupleRule;

/// The endings of file names that count as images.
pub const IMAGE_EXTENSIONS: [&str; 9] = ["png", "tif", "tiff", "bmp", "pgm", "ppm", "jpg", "jpeg", "webp"];

/// The images of a series cannot be listed or chosen.
#[derive(Debug)]
#[non_exhaustive]
pub enum SeriesError {
    /// The folder cannot be listed.
    Folder(PathBuf, io::Error),
    /// The last part of the path is not a pattern of file names.
    Pattern(PathBuf, String),
    /// There are fewer images than needed: the path, the number found, the number needed.
    TooFew(PathBuf, usize, usize),
    /// The name of an image has no number, so a range cannot choose it.
    NoNumber(PathBuf),
    /// No image has a number in the range.
    OutOfRange(IndexRange, usize),
    /// The path is a file, and not a folder.
    File(PathBuf),
}

impl fmt::Display for SeriesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SeriesError::Folder(path, error) => {
                write!(f, "cannot list the folder `{}`: {error}", path.display())
            }
            SeriesError::Pattern(path, error) => {
                write!(f, "`{}` is no pattern of file names: {error}", path.display())
            }
            SeriesError::TooFew(path, found, _) => {
                let found = match found {
                    0 => "no image",
                    _ => "only one image (a couple needs two)",
                };
                let endings = IMAGE_EXTENSIONS.join(", ");
                write!(f, "`{}` holds {found}; images end in {endings}", path.display())
            }
            SeriesError::NoNumber(path) => {
                write!(f, "`{}` has no number in its name, by which a range chooses", path.display())
            }
            SeriesError::OutOfRange(range, count) => {
                write!(f, "none of the {count} images has a number in the range {range}")
            }
            SeriesError::File(path) => {
                write!(f, "`{}` is a file: name the folder with the images, or two images", path.display())
            }
        }
    }
}

impl Error for SeriesError {}

/// The images of a folder, in [natural order](natural_order) of their file names. Hidden files and folders are left
/// out. The last part of `path` may be a pattern of file names: `series/cam1_*.png`.
///
/// # Errors
///
/// [`SeriesError`] if the folder cannot be listed or holds no image.
pub fn list_images(path: &Path) -> Result<Vec<PathBuf>, SeriesError> {
    let (folder, pattern) = match pattern_of(path) {
        Some(pattern) => {
            let no_pattern = |error: glob::PatternError| SeriesError::Pattern(path.into(), error.to_string());
            (folder_of(path), Some(glob::Pattern::new(&pattern).map_err(no_pattern)?))
        }
        None => (path.to_owned(), None),
    };
    if folder.is_file() {
        return Err(SeriesError::File(folder));
    }
    let failed = |error| SeriesError::Folder(folder.clone(), error);
    let mut images = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let is_chosen = pattern.as_ref().is_none_or(|pattern| pattern.matches(&lossy(&path)));
        // A link to nothing counts as an image that cannot be read. If it were left out, its neighbours could make a
        // wrong couple.
        let is_file = fs::metadata(&path).map_or(true, |data| data.is_file());
        if is_chosen && is_image(&path) && is_file {
            images.push(path);
        }
    }
    if images.is_empty() {
        return Err(SeriesError::TooFew(path.to_owned(), 0, 1));
    }
    images.sort_by(|a, b| natural_order(&file_name(a), &file_name(b)));
    Ok(images)
}

/// The folder of a series. The path is a folder, or a folder and a pattern of file names.
pub fn folder_of(path: &Path) -> PathBuf {
    match pattern_of(path) {
        Some(_) => match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        },
        None => path.to_owned(),
    }
}

/// The pattern in a path, if there is one. A folder whose name looks like a pattern is a folder.
fn pattern_of(path: &Path) -> Option<String> {
    let name = lossy(path);
    (name.contains(['*', '?', '[']) && !path.is_dir()).then_some(name)
}

/// The images whose numbers are in a range.
///
/// # Errors
///
/// [`SeriesError`] if no image is chosen, or if an image has no number and not all are chosen.
pub fn select(images: Vec<PathBuf>, range: IndexRange) -> Result<Vec<PathBuf>, SeriesError> {
    if range.is_all() {
        return Ok(images);
    }
    let mut numbered = Vec::with_capacity(images.len());
    for (number, path) in numbers(&images).into_iter().zip(images) {
        match number {
            Some(number) => numbered.push((number, path)),
            None => return Err(SeriesError::NoNumber(path)),
        }
    }
    let count = numbered.len();
    let first = numbered.iter().map(|(number, _)| *number).min().unwrap_or(0);
    numbered.retain(|(number, _)| range.contains(*number, first));
    if numbered.is_empty() {
        return Err(SeriesError::OutOfRange(range, count));
    }
    Ok(numbered.into_iter().map(|(_, path)| path).collect())
}

fn is_image(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| IMAGE_EXTENSIONS.contains(&&*ending)) && !file_name(path).starts_with('.')
}

/// The file name of a path, as a pattern sees it.
fn lossy(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}
