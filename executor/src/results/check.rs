//! Is an item done? Its files must be whole, and made of the same images in the same way.

use std::{
    cell::RefCell,
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    MadeWith,
    fingerprint::Mark,
    manifest::{Found, Manifest},
};
use crate::results::file_name;

/// An item that a run is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The name of its manifest: the start of the names of its files.
    pub item: String,
    /// The names of its files.
    pub files: Vec<String>,
    /// The images that it is made of, in their order.
    pub inputs: Vec<PathBuf>,
}

/// What there is of an item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// Whole, and made in the same way.
    Done,
    /// It has no result, or not all of its files.
    Missing(String),
    /// Something is there, but it is not what a run has written, or nothing says so.
    NotWhole(String),
    /// It was made with other parameters, by another version of the program, or of other images: what differs.
    MadeOtherwise(Vec<String>),
}

/// Looks what there is of items in a folder for results.
///
/// ```
/// use std::path::Path;
/// use terzetto_executor::results::{ItemState, MadeWith, ResultsCheck, Wanted};
///
/// let wanted = Wanted { item: "piv_1-2".into(), files: vec!["piv_1-2.csv".into()], inputs: Vec::new() };
/// let made_with = MadeWith::new("piv");
/// let check = ResultsCheck::new(Path::new("no such folder"), &made_with, None);
/// assert_eq!(check.state(&wanted), ItemState::Missing("no result".into()));
/// ```
#[derive(Debug)]
pub struct ResultsCheck<'a> {
    results: &'a Path,
    made_with: &'a MadeWith,
    since: Option<SystemTime>,
    /// Images of which the time is not enough, and what they were read to be: several items may be made of one.
    read: RefCell<HashMap<PathBuf, Mark>>,
}

impl<'a> ResultsCheck<'a> {
    /// Compares with what a run would make results with. What was written before `since` does not count.
    pub fn new(results: &'a Path, made_with: &'a MadeWith, since: Option<SystemTime>) -> ResultsCheck<'a> {
        ResultsCheck { results, made_with, since, read: RefCell::default() }
    }

    /// What there is of an item.
    pub fn state(&self, wanted: &Wanted) -> ItemState {
        let ResultsCheck { results, made_with, since, .. } = *self;
        let there: Vec<&String> = wanted.files.iter().filter(|name| results.join(name).exists()).collect();
        let (manifest, written) = match Manifest::read(&Manifest::path(results, &wanted.item)) {
            Found::Manifest(manifest, written) => (manifest, written),
            Found::Broken => return ItemState::NotWhole("its manifest is broken".to_owned()),
            Found::Nothing => {
                return match there.first() {
                    Some(name) => ItemState::NotWhole(format!("no manifest says that `{name}` is whole")),
                    None => ItemState::Missing("no result".to_owned()),
                };
            }
        };
        if since.is_some_and(|since| written <= since) {
            return ItemState::Missing("no result of this run".to_owned());
        }
        if !manifest.files.iter().any(|mark| results.join(&mark.name).exists()) {
            return ItemState::Missing("no result".to_owned());
        }
        let mut differences = manifest.made_with.differences(made_with);
        differences.extend(self.changed_inputs(&manifest.inputs, &wanted.inputs));
        if !differences.is_empty() {
            return ItemState::MadeOtherwise(differences);
        }
        for name in &wanted.files {
            let path = results.join(name);
            let mark = manifest.files.iter().find(|mark| mark.name == *name);
            let Some(mark) = mark.filter(|_| path.is_file()) else {
                return match path.exists() {
                    true => ItemState::NotWhole(format!("its manifest does not know `{name}`")),
                    false => ItemState::Missing(format!("`{name}` is missing")),
                };
            };
            let length = fs::metadata(&path).map_or(0, |data| data.len());
            if length != mark.length {
                let text = format!("`{name}` has {length} bytes, and {} were written", mark.length);
                return ItemState::NotWhole(text);
            }
            if !mark.has_content_of(&Mark::of_file(&path)) {
                return ItemState::NotWhole(format!("the content of `{name}` is not what was written"));
            }
        }
        ItemState::Done
    }

    /// What has changed in the images.
    fn changed_inputs(&self, then: &[Mark], now: &[PathBuf]) -> Vec<String> {
        let names = |names: Vec<String>| match &names[..] {
            [first, second, _, .., last] if names.len() > 4 => format!("{first}, {second}, … {last}"),
            names => names.join(", "),
        };
        let old: Vec<String> = then.iter().map(|mark| mark.name.clone()).collect();
        let new: Vec<String> = now.iter().map(|path| file_name(path)).collect();
        if old != new {
            return vec![format!("images were {}, are {}", names(old), names(new))];
        }
        let changed = then.iter().zip(now).filter(|(mark, path)| !self.is_still(mark, path));
        changed.map(|(mark, _)| format!("image `{}` has changed since", mark.name)).collect()
    }

    /// Is an image what it was? If length and time are the same, it is; if only the length is, its content tells.
    fn is_still(&self, mark: &Mark, path: &Path) -> bool {
        mark.looks_like(path).unwrap_or_else(|| {
            let mut read = self.read.borrow_mut();
            let now = read.entry(path.to_owned()).or_insert_with(|| Mark::of_file(path));
            mark.has_content_of(now)
        })
    }
}
