//! Films: single files that hold a series of images.
//!
//! A TIFF file of several pages, an AVI file or another video is a series. [`unpack`] writes its images into a folder,
//! once, and everything else works on the folder: couples, `--complete`, parts of a cluster. Numbers in the names are
//! those of the film, from 1 on, so that a frame that is missing costs its own couples and shifts no others.
//!
//! AVI files are read here if their frames are uncompressed or JPEG, as cameras write them. All other videos are read
//! by the program `ffmpeg`, if it is installed: there is no well-kept decoder in pure Rust for what is in them.

mod avi;
mod ffmpeg;
mod folder;

use std::{
    error::Error,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use terzetto_executor::results::{WriteError, stem, write_atomic};
use terzetto_kernels::{
    Image, ImageError, encode_png16,
    image::{Pages, encode_tiff},
};

pub use folder::pages_folder;

/// The endings of files that count as videos.
pub const VIDEO_EXTENSIONS: [&str; 10] =
    ["avi", "mp4", "m4v", "mov", "mkv", "webm", "mpg", "mpeg", "wmv", "cine"];

/// A film cannot be unpacked.
#[derive(Debug)]
#[non_exhaustive]
pub enum FilmError {
    /// A page cannot be read.
    Image(ImageError),
    /// A file or folder cannot be read, made or removed.
    File(PathBuf, io::Error),
    /// A file cannot be written.
    Write(WriteError),
    /// The folder for the images holds something else.
    Foreign(PathBuf),
    /// The video is damaged, or of a kind that nothing here reads.
    Video(PathBuf, String),
}

impl fmt::Display for FilmError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FilmError::Image(error) => write!(f, "{error}"),
            FilmError::File(path, error) => write!(f, "`{}`: {error}", path.display()),
            FilmError::Write(error) => write!(f, "{error}"),
            FilmError::Foreign(folder) => write!(
                f,
                "`{}` is not empty, and its files are not those of the film: `terzetto pages FILM FOLDER` writes the \
                 images elsewhere",
                folder.display()
            ),
            FilmError::Video(path, problem) => write!(f, "`{}`: {problem}", path.display()),
        }
    }
}

impl Error for FilmError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            FilmError::Image(error) => error.source(),
            FilmError::File(_, error) => Some(error),
            FilmError::Write(error) => error.source(),
            FilmError::Foreign(_) | FilmError::Video(..) => None,
        }
    }
}

impl From<ImageError> for FilmError {
    fn from(error: ImageError) -> FilmError {
        FilmError::Image(error)
    }
}

/// Is this file a film: a video, or a TIFF file of several pages?
///
/// # Errors
/// A TIFF file that cannot be read.
pub fn is_film(path: &Path) -> Result<bool, FilmError> {
    if !path.is_file() {
        return Ok(false);
    }
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
    match ending.as_deref() {
        Some("tif" | "tiff") => Ok(Pages::open(path)?.len() > 1),
        Some(ending) => Ok(VIDEO_EXTENSIONS.contains(&ending)),
        None => Ok(false),
    }
}

/// Writes the images of a film into a folder, which is made if needed: `<film>_0001.png` and so on, or TIFF files of
/// floating-point numbers for values that counts of 16 bits cannot hold. Other formats than films are films of one
/// image. Returns how many there are.
///
/// A file in the folder, `film.toml`, says which film it is and that all images are there. If it does, nothing is
/// written. An interrupted call is made good by the next one.
///
/// # Errors
/// [`FilmError`]; a folder that holds other files is refused.
pub fn unpack(film: &Path, folder: &Path) -> Result<usize, FilmError> {
    let name = stem(film);
    folder::unpack_once(film, folder, || {
        let mut write = |number: usize, image: &Image| write_image(folder, &name, number, image);
        let ending = film.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        match ending.as_deref() {
            Some("avi") => match avi::each_frame(film, &mut write) {
                Err(avi::Refusal::Codec(codec)) => ffmpeg::unpack(film, folder, &name, &codec),
                Err(avi::Refusal::Film(error)) => Err(error),
                Ok(count) => Ok(count),
            },
            Some(ending) if VIDEO_EXTENSIONS.contains(&ending) => {
                ffmpeg::unpack(film, folder, &name, "video")
            }
            _ => {
                let pages = Pages::open(film)?;
                for page in 0..pages.len() {
                    write(page + 1, &pages.read(page)?)?;
                }
                Ok(pages.len())
            }
        }
    })
}

fn write_image(folder: &Path, name: &str, number: usize, image: &Image) -> Result<(), FilmError> {
    let (ending, bytes) = match has_counts(image) {
        true => ("png", encode_png16(image)?),
        false => ("tif", encode_tiff(image)?),
    };
    let path = folder.join(format!("{name}_{number:04}.{ending}"));
    write_atomic(&path, &bytes).map_err(FilmError::Write)
}

/// Can 16-bit counts hold all values?
fn has_counts(image: &Image) -> bool {
    image.data().iter().all(|value| (0.0..=65_535.0).contains(value) && value.fract() == 0.0)
}

/// The names of the files in a folder; none if there is no folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
