//! The folder into which a run writes its items: first the files of an item, then its manifest.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{
    MadeWith, WriteError,
    fingerprint::Fingerprint,
    manifest::{Manifest, ReadManifest},
    write_atomic,
};

/// A folder for results, and the fingerprints of the inputs that were read.
///
/// ```
/// use std::{fs, process};
/// use terzetto_executor::results::{ExpectedItem, ItemState, MadeWith, ResultsCheck, Store};
///
/// let folder = std::env::temp_dir().join(format!("terzetto-store-{}", process::id()));
/// fs::create_dir_all(&folder)?;
/// let input = folder.join("text.txt");
/// fs::write(&input, "ada")?;
///
/// let made_with = MadeWith::new("example 1.0", "length");
/// let store = Store::new(folder.clone(), made_with.clone());
/// let length = store.read(&input)?.len().to_string();
/// store.save("length_1", &[("length_1.txt".to_owned(), length.into_bytes())], &[input.clone()])?;
///
/// let check = ResultsCheck::new(&folder, &made_with, None);
/// let item = ExpectedItem { item: "length_1".into(), files: vec!["length_1.txt".into()], inputs: vec![input] };
/// assert_eq!(check.state(&item), ItemState::Done);
/// fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Store {
    folder: PathBuf,
    made_with: MadeWith,
    /// The fingerprint of each input when it was read.
    inputs: Mutex<HashMap<PathBuf, Fingerprint>>,
}

impl Store {
    /// A store that writes into `folder`, which must exist.
    pub fn new(folder: PathBuf, made_with: MadeWith) -> Store {
        Store { folder, made_with, inputs: Mutex::default() }
    }

    /// Reads an input, and remembers its fingerprint for the manifests.
    ///
    /// # Errors
    /// The system's error if the file cannot be read.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let read = Fingerprint::read(path);
        let fingerprint = match &read {
            Ok((fingerprint, _)) => fingerprint.clone(),
            Err(_) => Fingerprint::unreadable(path),
        };
        self.inputs.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned(), fingerprint);
        read.map(|(_, bytes)| bytes)
    }

    /// Writes the files of an item, each as a name and its bytes, and then the manifest.
    ///
    /// An earlier run may have made other files of this item, in another way. Files that are not written now are
    /// then removed, because they would look like results of this run.
    ///
    /// # Errors
    /// [`WriteError`] if a file cannot be written.
    pub fn save(
        &self,
        item: &str,
        files: &[(String, Vec<u8>)],
        inputs: &[PathBuf],
    ) -> Result<(), WriteError> {
        for (name, bytes) in files {
            write_atomic(&self.folder.join(name), bytes)?;
        }
        let files = files.iter().map(|(name, bytes)| Fingerprint::of_bytes(name, bytes)).collect();
        let inputs = {
            let read = self.inputs.lock().unwrap_or_else(PoisonError::into_inner);
            let fingerprint =
                |path: &PathBuf| read.get(path).cloned().unwrap_or_else(|| Fingerprint::of_file(path));
            inputs.iter().map(fingerprint).collect()
        };
        let (item, made_with) = (item.to_owned(), self.made_with.clone());
        let mut manifest = Manifest { item, files, inputs, made_with };
        self.replace_earlier(&mut manifest);
        manifest.write(&self.folder)
    }

    /// Writes files of an item that is not complete. The item has no manifest then.
    ///
    /// # Errors
    /// [`WriteError`] if a file cannot be written, or if an earlier manifest cannot be removed.
    pub fn save_incomplete(&self, item: &str, files: &[(String, Vec<u8>)]) -> Result<(), WriteError> {
        let path = Manifest::path(&self.folder, item);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(WriteError::new(&path, error));
            }
            _ => {}
        }
        files.iter().try_for_each(|(name, bytes)| write_atomic(&self.folder.join(name), bytes))
    }

    /// Handles the files of an earlier manifest that are not written again. If the item was made in the same way,
    /// the files belong to the new manifest. Otherwise they are removed.
    fn replace_earlier(&self, manifest: &mut Manifest) {
        let path = Manifest::path(&self.folder, &manifest.item);
        let ReadManifest::Manifest(before, _) = Manifest::read(&path) else { return };
        let contents = |inputs: &[Fingerprint]| -> Vec<(String, String)> {
            inputs.iter().map(|input| (input.name.clone(), input.checksum.clone())).collect()
        };
        let made_in_same_way =
            before.made_with == manifest.made_with && contents(&before.inputs) == contents(&manifest.inputs);
        for old in before.files {
            if manifest.files.iter().any(|new| new.name == old.name) {
                continue;
            }
            let path = self.folder.join(&old.name);
            if made_in_same_way {
                manifest.files.push(old);
            } else if old.has_content_of(&Fingerprint::of_file(&path)) {
                match fs::remove_file(&path) {
                    Ok(()) => log::info!("removed `{}`, which was made otherwise", path.display()),
                    Err(error) => log::warn!("`{}` was made otherwise, and stays: {error}", path.display()),
                }
            }
        }
    }
}
