//! The manifest of an item: which files were written of it, and of what they were made.
//!
//! That a file is there says little: it may be empty, cut, edited, or left by a run with other parameters. So when all files
//! of an item are written, its manifest is, in the folder `manifests`; only with it the item counts as done.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::{
    MadeWith, WriteError,
    atomic::write_atomic_unsynced,
    fingerprint::{Mark, checksum},
};

/// The folder of manifests in a folder for results.
pub const MANIFESTS: &str = "manifests";

const ENDING: &str = ".toml";
const CHECKSUM: &str = "checksum = ";

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// The start of the names of the item's files.
    pub item: String,
    /// Its files, with their lengths and checksums.
    pub files: Vec<Mark>,
    /// The images that it was made of, in their order.
    pub inputs: Vec<Mark>,
    pub made_with: MadeWith,
}

/// What there is of a manifest.
pub(super) enum Found {
    Nothing,
    /// Cut or edited.
    Broken,
    Manifest(Manifest, SystemTime),
}

impl Manifest {
    pub fn path(results: &Path, item: &str) -> PathBuf {
        results.join(MANIFESTS).join(file_name_of(item))
    }

    pub fn read(path: &Path) -> Found {
        let read = || -> io::Result<_> { Ok((fs::read_to_string(path)?, fs::metadata(path)?.modified()?)) };
        match read() {
            Ok((text, written)) => {
                parse(&text).map_or(Found::Broken, |manifest| Found::Manifest(manifest, written))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Found::Nothing,
            Err(_) => Found::Broken,
        }
    }

    /// Writes the manifest. A crash of the machine may lose it, and the item is computed again then; to wait for the disk
    /// once more for each item would cost more.
    pub fn write(&self, results: &Path) -> Result<(), WriteError> {
        let path = Manifest::path(results, &self.item);
        let failed = |error: io::Error| WriteError::new(&path, error);
        let body = toml::to_string(self).map_err(|error| failed(io::Error::other(error)))?;
        let text = format!("{CHECKSUM}\"{}\"\n{body}", checksum(body.as_bytes()));
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        write_atomic_unsynced(&path, text.as_bytes())
    }

    /// The manifests in a folder for results.
    pub fn paths(results: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(results.join(MANIFESTS)).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
        paths.retain(|path| path.extension().is_some_and(|ending| ending == &ENDING[1..]));
        paths.sort();
        paths
    }
}

fn parse(text: &str) -> Option<Manifest> {
    let (first, body) = text.split_once('\n')?;
    let told = first.strip_prefix(CHECKSUM)?.trim_matches('"');
    (told == checksum(body.as_bytes())).then(|| toml::from_str(body).ok())?
}

/// The name of a manifest. Names have at most 255 bytes; of a longer one the end is a checksum.
pub(super) fn file_name_of(item: &str) -> String {
    if item.len() + ENDING.len() <= 255 {
        return format!("{item}{ENDING}");
    }
    let start = item.char_indices().map(|(at, _)| at).take_while(|at| *at <= 200).last().unwrap_or(0);
    format!("{}-{}{ENDING}", &item[..start], checksum(item.as_bytes()))
}
