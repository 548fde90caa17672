//! Results on object storage, with manifests: whole, and compared by a later run.

use super::{
    ExpectedItem, ItemState, MANIFESTS, MadeWith, file_name,
    fingerprint::Fingerprint,
    manifest::{Manifest, file_name_of, parse},
    object_folder::{ObjectError, ObjectFolder},
};
use crate::graph::BoxError;

/// The results of a run on object storage: [`Store`](super::Store) and [`ResultsCheck`](super::ResultsCheck) for two
/// [folders](ObjectFolder), one with the inputs and one for the results.
///
/// ```
/// use std::sync::Arc;
/// use object_store::memory::InMemory;
/// use terzetto_executor::results::{ExpectedItem, ItemState, MadeWith, ObjectFolder, ObjectResults};
///
/// let store = Arc::new(InMemory::new());
/// let inputs = ObjectFolder::new(store.clone(), "series")?;
/// inputs.write("text.txt", b"ada".to_vec())?;
///
/// let made_with = MadeWith::new("example 1.0", "length");
/// let results = ObjectResults::new(inputs, ObjectFolder::new(store, "lengths")?, made_with);
/// let length = results.inputs().read("text.txt")?.len().to_string();
/// results.save("length_1", vec![("length_1.txt".to_owned(), length.into_bytes())], &["text.txt"])?;
///
/// let item = ExpectedItem {
///     item: "length_1".into(),
///     files: vec!["length_1.txt".into()],
///     inputs: vec!["text.txt".into()],
/// };
/// assert_eq!(results.state(&item)?, ItemState::Done);
/// # Ok::<(), Box<dyn std::error::Error + Send + Sync>>(())
/// ```
#[derive(Debug)]
pub struct ObjectResults {
    inputs: ObjectFolder,
    folder: ObjectFolder,
    made_with: MadeWith,
}

impl ObjectResults {
    /// Results in `folder`, made of objects of `inputs`.
    pub fn new(inputs: ObjectFolder, folder: ObjectFolder, made_with: MadeWith) -> ObjectResults {
        ObjectResults { inputs, folder, made_with }
    }

    /// The folder with the inputs.
    pub fn inputs(&self) -> &ObjectFolder {
        &self.inputs
    }

    /// The folder with the results.
    pub fn folder(&self) -> &ObjectFolder {
        &self.folder
    }

    /// Writes the files of an item, each as a name and its bytes, and then its manifest. `inputs` are the names of
    /// what it was made of.
    ///
    /// # Errors
    /// [`ObjectError`] if a request fails.
    pub fn save(&self, item: &str, files: Vec<(String, Vec<u8>)>, inputs: &[&str]) -> Result<(), BoxError> {
        let inputs = inputs.iter().map(|name| self.inputs.fingerprint(name)).collect::<Result<_, _>>()?;
        let mut written = Vec::new();
        for (name, bytes) in files {
            written.push(Fingerprint::of_bytes(&name, &bytes));
            self.folder.write(&name, bytes)?;
        }
        let manifest =
            Manifest { item: item.to_owned(), files: written, inputs, made_with: self.made_with.clone() };
        self.folder.write(&manifest_name(item), manifest.to_text()?.into_bytes())?;
        Ok(())
    }

    /// What exists of an item. The inputs are named by the ends of their paths. An input counts as unchanged if its
    /// length and time are; else its content decides. The content of results is not read again: an object is written
    /// as a whole, and its length is compared.
    ///
    /// # Errors
    /// [`ObjectError`] if a request fails. It is not known then what exists, and nothing should be computed again.
    pub fn state(&self, expected: &ExpectedItem) -> Result<ItemState, ObjectError> {
        let manifest = match self.folder.read(&manifest_name(&expected.item)) {
            Ok(bytes) => std::str::from_utf8(&bytes).ok().and_then(parse),
            Err(error) if error.is_not_found() => {
                for name in &expected.files {
                    if self.folder.look(name)?.is_some() {
                        return Ok(ItemState::NotWhole(format!("no manifest says that `{name}` is whole")));
                    }
                }
                return Ok(ItemState::Missing("no result".to_owned()));
            }
            Err(error) => return Err(error),
        };
        let Some(manifest) = manifest else {
            return Ok(ItemState::NotWhole("its manifest is broken".to_owned()));
        };
        let mut differences = manifest.made_with.differences(&self.made_with);
        differences.extend(self.changed_inputs(&manifest.inputs, expected)?);
        if !differences.is_empty() {
            return Ok(ItemState::MadeOtherwise(differences));
        }
        for name in &expected.files {
            let described = manifest.files.iter().find(|file| file.name == *name);
            match (self.folder.look(name)?, described) {
                (None, _) => return Ok(ItemState::Missing(format!("`{name}` is missing"))),
                (Some(_), None) => {
                    return Ok(ItemState::NotWhole(format!("its manifest does not know `{name}`")));
                }
                (Some((length, _)), Some(described)) if length != described.length => {
                    let written = described.length;
                    let text = format!("`{name}` has {length} bytes, and {written} were written");
                    return Ok(ItemState::NotWhole(text));
                }
                _ => {}
            }
        }
        Ok(ItemState::Done)
    }

    fn changed_inputs(
        &self,
        then: &[Fingerprint],
        expected: &ExpectedItem,
    ) -> Result<Vec<String>, ObjectError> {
        let old: Vec<&str> = then.iter().map(|input| input.name.as_str()).collect();
        let new: Vec<String> = expected.inputs.iter().map(|path| file_name(path)).collect();
        if old != new {
            return Ok(vec![format!("inputs were {}, are {}", old.join(", "), new.join(", "))]);
        }
        let mut changed = Vec::new();
        for input in then {
            let is_same = match self.inputs.look(&input.name)? {
                None => false,
                Some((length, _)) if length != input.length => false,
                Some((_, written)) if written.is_some() && written == input.written => true,
                Some(_) => {
                    self.inputs.read(&input.name)?;
                    self.inputs.fingerprint(&input.name)?.has_content_of(input)
                }
            };
            if !is_same {
                changed.push(format!("input `{}` has changed since", input.name));
            }
        }
        Ok(changed)
    }
}

fn manifest_name(item: &str) -> String {
    format!("{MANIFESTS}/{}", file_name_of(item))
}
