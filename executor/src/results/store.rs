//! Where a run's results are put: files first, then the manifest that says of what they were made.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{
    MadeWith, WriteError,
    fingerprint::Mark,
    manifest::{Found, Manifest},
    write_atomic,
};

/// A folder for results, and what is known of the images that they are made of.
pub struct Store {
    folder: PathBuf,
    made_with: MadeWith,
    /// What each image was when it was read.
    read: Mutex<HashMap<PathBuf, Mark>>,
}

impl Store {
    /// Results go into `folder`, which must exist.
    pub fn new(folder: PathBuf, made_with: MadeWith) -> Store {
        Store { folder, made_with, read: Mutex::default() }
    }

    /// Reads a file of which items are made, and remembers what it was.
    ///
    /// # Errors
    /// The system's error.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let read = Mark::read(path);
        let mark = read.as_ref().map_or_else(|_| Mark::unreadable(path), |(mark, _)| mark.clone());
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), mark);
        read.map(|(_, bytes)| bytes)
    }

    /// Writes the files of an item and then its manifest. Files that an earlier run has made of the item in another way,
    /// and that are not written now, are removed: they would pass for results of this run.
    pub fn save(
        &self,
        item: &str,
        files: &[(String, Vec<u8>)],
        inputs: &[PathBuf],
    ) -> Result<(), WriteError> {
        for (name, bytes) in files {
            write_atomic(&self.folder.join(name), bytes)?;
        }
        let marks = files.iter().map(|(name, bytes)| Mark::of_bytes(name, bytes)).collect();
        let inputs = {
            let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
            inputs.iter().map(|path| read.get(path).cloned().unwrap_or_else(|| Mark::of_file(path))).collect()
        };
        let (item, made_with) = (item.to_owned(), self.made_with.clone());
        let mut manifest = Manifest { item, files: marks, inputs, made_with };
        self.supersede(&mut manifest);
        manifest.write(&self.folder)
    }

    /// Writes files of an item that is not done with them: it has no manifest.
    pub fn save_unfinished(&self, item: &str, files: &[(String, Vec<u8>)]) -> Result<(), WriteError> {
        let path = Manifest::path(&self.folder, item);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(WriteError::new(&path, error));
            }
            _ => {}
        }
        files.iter().try_for_each(|(name, bytes)| write_atomic(&self.folder.join(name), bytes))
    }

    /// Sees to the files of an item's earlier manifest that are not written again.
    fn supersede(&self, manifest: &mut Manifest) {
        let path = Manifest::path(&self.folder, &manifest.item);
        let Found::Manifest(before, _) = Manifest::read(&path) else { return };
        let content = |inputs: &[Mark]| -> Vec<(String, String)> {
            inputs.iter().map(|mark| (mark.name.clone(), mark.checksum.clone())).collect()
        };
        let is_same =
            before.made_with == manifest.made_with && content(&before.inputs) == content(&manifest.inputs);
        for old in before.files {
            if manifest.files.iter().any(|new| new.name == old.name) {
                continue;
            }
            let path = self.folder.join(&old.name);
            if is_same {
                manifest.files.push(old);
            } else if old.has_content_of(&Mark::of_file(&path)) {
                match fs::remove_file(&path) {
                    Ok(()) => log::info!("removed `{}`, which was made otherwise", path.display()),
                    Err(error) => log::warn!("`{}` was made otherwise, and stays: {error}", path.display()),
                }
            }
        }
    }
}
