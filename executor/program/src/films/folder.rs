//! The folder that a film is unpacked into, and the file that says what is in it.

use std::{
    fs,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};
use terzetto_executor::results::{file_name, stem, write_atomic};

use super::{FilmError, names};

/// The file that says what is in the folder.
const NOTE: &str = "film.toml";

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    /// The film's name, its length in bytes, and when it was changed, in nanoseconds since 1970.
    film: String,
    bytes: u64,
    changed: String,
    /// How many images there are; none while they are being written.
    images: Option<usize>,
}

/// The folder beside a film for its images: `run7.pages` for `run7.tif`.
pub fn pages_folder(film: &Path) -> PathBuf {
    film.with_file_name(format!("{}.pages", stem(film)))
}

/// Calls `write` unless the folder has all images of this film.
pub(super) fn unpack_once(
    film: &Path,
    folder: &Path,
    write: impl FnOnce() -> Result<usize, FilmError>,
) -> Result<usize, FilmError> {
    let failed = |path: &Path, error| FilmError::File(path.to_owned(), error);
    let data = fs::metadata(film).map_err(|error| failed(film, error))?;
    let changed = data.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    let mut note = Note {
        film: file_name(film),
        bytes: data.len(),
        changed: changed.map_or(0, |time| time.as_nanos()).to_string(),
        images: None,
    };
    let path = folder.join(NOTE);
    let found: Option<Note> = fs::read_to_string(&path).ok().and_then(|text| toml::from_str(&text).ok());
    if let Some(Note { images: Some(count), .. }) = &found {
        note.images = Some(*count);
        if found.as_ref() == Some(&note) {
            return Ok(*count);
        }
        note.images = None;
    }
    let start = format!("{}_", stem(film));
    // Files of another film are nobody's to remove. Those of an earlier version of this film are.
    let is_ours = found.as_ref().is_some_and(|before| before.film == note.film);
    let old = names(folder);
    if !old.iter().all(|name| is_ours && (name == NOTE || name.starts_with(&start))) {
        return Err(FilmError::Foreign(folder.to_owned()));
    }
    for name in old {
        let old = folder.join(name);
        fs::remove_file(&old).map_err(|error| failed(&old, error))?;
    }
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let save = |note: &Note| {
        let text = toml::to_string(note).unwrap_or_default();
        write_atomic(&path, text.as_bytes()).map_err(FilmError::Write)
    };
    save(&note)?;
    let count = write()?;
    note.images = Some(count);
    save(&note)?;
    Ok(count)
}
