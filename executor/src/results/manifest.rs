//! The manifest of an item: which files it has, and what they were made of.
//!
//! It is a TOML file in the folder `manifests`, written after the files of the item. Its first line is a checksum of
//! the other lines.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use super::{
    MadeWith, WriteError,
    atomic::write_atomic_unsynced,
    fingerprint::{Fingerprint, checksum},
};

/// The name of the folder of manifests, inside the folder for results.
pub const MANIFESTS: &str = "manifests";

const ENDING: &str = ".toml";
const CHECKSUM: &str = "checksum = ";

/// The manifest of an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    /// The name of the item. The names of its files begin with it.
    pub item: String,
    /// Its files, with their lengths and checksums.
    pub files: Vec<Fingerprint>,
    /// The files that it was made of, in their order.
    pub inputs: Vec<Fingerprint>,
    pub made_with: MadeWith,
}

/// What was found when a manifest was read.
pub(super) enum ReadManifest {
    Absent,
    /// It is cut, or somebody has edited it.
    Broken,
    /// A manifest, and when it was written.
    Manifest(Manifest, SystemTime),
}

impl Manifest {
    pub fn path(results: &Path, item: &str) -> PathBuf {
        results.join(MANIFESTS).join(file_name_of(item))
    }

    pub fn read(path: &Path) -> ReadManifest {
        let read = || -> io::Result<_> { Ok((fs::read_to_string(path)?, fs::metadata(path)?.modified()?)) };
        match read() {
            Ok((text, written)) => parse(&text)
                .map_or(ReadManifest::Broken, |manifest| ReadManifest::Manifest(manifest, written)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => ReadManifest::Absent,
            Err(_) => ReadManifest::Broken,
        }
    }

    /// Writes the manifest. It is not forced to the disk, because that would take too long for each item. If a crash
    /// of the machine loses the manifest, the item is computed again.
    pub fn write(&self, results: &Path) -> Result<(), WriteError> {
        let path = Manifest::path(results, &self.item);
        let failed = |error: io::Error| WriteError::new(&path, error);
        let text = self.to_text().map_err(failed)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        write_atomic_unsynced(&path, text.as_bytes())
    }

    /// The text of the file: a checksum, and the manifest.
    pub fn to_text(&self) -> io::Result<String> {
        let body = toml::to_string(self).map_err(io::Error::other)?;
        Ok(format!("{CHECKSUM}\"{}\"\n{body}", checksum(body.as_bytes())))
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

/// The manifest that a text describes, if nobody has changed it.
pub(super) fn parse(text: &str) -> Option<Manifest> {
    let (first, body) = text.split_once('\n')?;
    let written = first.strip_prefix(CHECKSUM)?.trim_matches('"');
    (written == checksum(body.as_bytes())).then(|| toml::from_str(body).ok())?
}

/// The file name of a manifest. A file name has at most 255 bytes. If the item has a longer name, a checksum
/// replaces its end.
pub(super) fn file_name_of(item: &str) -> String {
    if item.len() + ENDING.len() <= 255 {
        return format!("{item}{ENDING}");
    }
    let start = item.char_indices().map(|(at, _)| at).take_while(|at| *at <= 200).last().unwrap_or(0);
    format!("{}-{}{ENDING}", &item[..start], checksum(item.as_bytes()))
}
