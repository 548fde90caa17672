//! What exists of an item. It is done if its files are whole and were made of the same inputs in the same way.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    MadeWith, file_name,
    fingerprint::Fingerprint,
    manifest::{Manifest, ReadManifest},
};

/// An item that a run should make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpectedItem {
    /// The name of the item and of its manifest. The names of its files begin with it.
    pub item: String,
    /// The names of its files.
    pub files: Vec<String>,
    /// The files that it is made of, in their order.
    pub inputs: Vec<PathBuf>,
}

/// What exists of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// It is whole and was made in the same way.
    Done,
    /// It has no file, or not all of its files. The text says which.
    Missing(String),
    /// A file exists, but it is not what a run has written, or no manifest describes it. The text says which.
    NotWhole(String),
    /// It was made with other parameters, by another version of the program, or of other inputs. The texts are the
    /// differences.
    MadeOtherwise(Vec<String>),
}

/// Looks for items in a folder for results.
///
/// ```
/// use std::path::Path;
/// use terzetto_executor::results::{ExpectedItem, ItemState, MadeWith, ResultsCheck};
///
/// let item = ExpectedItem { item: "piv_1-2".into(), files: vec!["piv_1-2.csv".into()], inputs: Vec::new() };
/// let made_with = MadeWith::new("example 1.0", "piv");
/// let check = ResultsCheck::new(Path::new("no such folder"), &made_with, None);
/// assert_eq!(check.state(&item), ItemState::Missing("no result".into()));
/// ```
#[derive(Debug)]
pub struct ResultsCheck<'a> {
    results: &'a Path,
    made_with: &'a MadeWith,
    since: Option<SystemTime>,
    /// What an input is called in texts.
    input_noun: &'a str,
    /// Fingerprints of inputs whose content had to be read. Several items may have one input.
    read: RefCell<HashMap<PathBuf, Fingerprint>>,
}

impl<'a> ResultsCheck<'a> {
    /// A check that compares the items in the folder `results` with what a run would make them with. Items that
    /// were written before `since` do not count.
    pub fn new(results: &'a Path, made_with: &'a MadeWith, since: Option<SystemTime>) -> ResultsCheck<'a> {
        ResultsCheck { results, made_with, since, input_noun: "input", read: RefCell::default() }
    }

    /// Sets what an input is called in texts, such as `image`. Default: `input`.
    pub fn input_noun(mut self, noun: &'a str) -> ResultsCheck<'a> {
        self.input_noun = noun;
        self
    }

    /// What exists of an item.
    pub fn state(&self, expected: &ExpectedItem) -> ItemState {
        let ResultsCheck { results, made_with, since, .. } = *self;
        let (manifest, written) = match Manifest::read(&Manifest::path(results, &expected.item)) {
            ReadManifest::Manifest(manifest, written) => (manifest, written),
            ReadManifest::Broken => return ItemState::NotWhole("its manifest is broken".to_owned()),
            ReadManifest::Absent => {
                return match expected.files.iter().find(|name| results.join(name).exists()) {
                    Some(name) => ItemState::NotWhole(format!("no manifest says that `{name}` is whole")),
                    None => ItemState::Missing("no result".to_owned()),
                };
            }
        };
        if since.is_some_and(|since| written <= since) {
            return ItemState::Missing("no result of this run".to_owned());
        }
        if !manifest.files.iter().any(|file| results.join(&file.name).exists()) {
            return ItemState::Missing("no result".to_owned());
        }
        let mut differences = manifest.made_with.differences(made_with);
        differences.extend(self.changed_inputs(&manifest.inputs, &expected.inputs));
        if !differences.is_empty() {
            return ItemState::MadeOtherwise(differences);
        }
        let damage = expected.files.iter().find_map(|name| self.damage(&manifest, name));
        damage.unwrap_or(ItemState::Done)
    }

    /// What is wrong with a file of an item, if anything is.
    fn damage(&self, manifest: &Manifest, name: &str) -> Option<ItemState> {
        let path = self.results.join(name);
        let described = manifest.files.iter().find(|file| file.name == name);
        let Some(described) = described.filter(|_| path.is_file()) else {
            return Some(match path.exists() {
                true => ItemState::NotWhole(format!("its manifest does not know `{name}`")),
                false => ItemState::Missing(format!("`{name}` is missing")),
            });
        };
        let length = fs::metadata(&path).map_or(0, |data| data.len());
        if length != described.length {
            let text = format!("`{name}` has {length} bytes, and {} were written", described.length);
            return Some(ItemState::NotWhole(text));
        }
        (!described.has_content_of(&Fingerprint::of_file(&path)))
            .then(|| ItemState::NotWhole(format!("the content of `{name}` is not what was written")))
    }

    /// The differences between the inputs then and now.
    fn changed_inputs(&self, then: &[Fingerprint], now: &[PathBuf]) -> Vec<String> {
        let noun = self.input_noun;
        let list = |names: Vec<String>| match &names[..] {
            [first, second, _, .., last] if names.len() > 4 => format!("{first}, {second}, … {last}"),
            names => names.join(", "),
        };
        let old: Vec<String> = then.iter().map(|input| input.name.clone()).collect();
        let new: Vec<String> = now.iter().map(|path| file_name(path)).collect();
        if old != new {
            return vec![format!("{noun}s were {}, are {}", list(old), list(new))];
        }
        let changed = then.iter().zip(now).filter(|(input, path)| !self.is_unchanged(input, path));
        changed.map(|(input, _)| format!("{noun} `{}` has changed since", input.name)).collect()
    }

    /// Is an input what it was? If its length and time are the same, it is. If only its length is the same, its
    /// content decides.
    fn is_unchanged(&self, then: &Fingerprint, path: &Path) -> bool {
        then.is_unchanged(path).unwrap_or_else(|| {
            let mut read = self.read.borrow_mut();
            let now = read.entry(path.to_owned()).or_insert_with(|| Fingerprint::of_file(path));
            then.has_content_of(now)
        })
    }
}
