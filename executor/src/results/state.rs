//! Is an item done? Its files must be whole, and made of the same images in the same way.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{
    MadeWith,
    manifest::{Found, Manifest, file_name_of},
    mark::Mark,
};
use crate::series::file_name;

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

impl Wanted {
    /// Looks what there is of the item in a folder for results. What was written before `since` does not count.
    pub fn state(&self, results: &Path, made_with: &MadeWith, since: Option<SystemTime>) -> ItemState {
        let there: Vec<&String> = self.files.iter().filter(|name| results.join(name).exists()).collect();
        let (manifest, written) = match Manifest::read(&Manifest::path(results, &self.item)) {
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
        differences.extend(changed_inputs(&manifest.inputs, &self.inputs));
        if !differences.is_empty() {
            return ItemState::MadeOtherwise(differences);
        }
        for name in &self.files {
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
            if !mark.has_content_of(&path) {
                return ItemState::NotWhole(format!("the content of `{name}` is not what was written"));
            }
        }
        ItemState::Done
    }
}

/// What has changed in the images.
fn changed_inputs(then: &[Mark], now: &[PathBuf]) -> Vec<String> {
    let names = |names: Vec<String>| match &names[..] {
        [first, second, _, .., last] if names.len() > 4 => format!("{first}, {second}, … {last}"),
        names => names.join(", "),
    };
    let (old, new): (Vec<String>, Vec<String>) = (
        then.iter().map(|mark| mark.name.clone()).collect(),
        now.iter().map(|path| file_name(path)).collect(),
    );
    if old != new {
        return vec![format!("images were {}, are {}", names(old), names(new))];
    }
    let changed = then.iter().zip(now).filter(|(mark, path)| !mark.is_still(path));
    changed.map(|(mark, _)| format!("image `{}` has changed since", mark.name)).collect()
}

/// Results in a folder that are of none of the items of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    /// Those made otherwise: item, and what differs.
    pub otherwise: Vec<(String, Vec<String>)>,
    /// Files that no manifest knows, whose names are like those of results.
    pub unknown: Vec<String>,
}

/// Looks for results in a folder that do not belong to a series: `wanted` are all its items, `images` the names of all its
/// images. Results made in the same way of images of the series, such as those of another range, belong to it; those
/// of other tasks are not looked at.
pub fn strangers(
    results: &Path,
    wanted: &[Wanted],
    made_with: &MadeWith,
    images: &HashSet<String>,
) -> Strangers {
    let own: HashSet<String> = wanted.iter().map(|wanted| file_name_of(&wanted.item)).collect();
    let items: HashSet<&str> = wanted.iter().map(|wanted| &*wanted.item).collect();
    let mut known = HashSet::new();
    let mut found = Strangers::default();
    for path in Manifest::paths(results) {
        if path.file_name().is_some_and(|name| own.contains(&*name.to_string_lossy())) {
            continue;
        }
        let Found::Manifest(manifest, _) = Manifest::read(&path) else { continue };
        known.extend(manifest.files.iter().map(|mark| mark.name.clone()));
        let is_there = manifest.files.iter().any(|mark| results.join(&mark.name).exists());
        if !is_there || manifest.made_with.task() != made_with.task() {
            continue;
        }
        let mut differences = manifest.made_with.differences(made_with);
        let foreign = manifest.inputs.iter().find(|mark| !images.contains(&mark.name));
        differences.extend(foreign.map(|mark| format!("image `{}` is not in the series", mark.name)));
        if !differences.is_empty() {
            found.otherwise.push((manifest.item, differences));
        }
    }
    let start = made_with.task().map(|task| format!("{task}_")).unwrap_or_default();
    let is_stranger = |name: &String| {
        let item = [".csv", ".nc"].iter().find_map(|ending| name.strip_suffix(ending));
        item.is_some_and(|item| item.starts_with(&start) && !items.contains(item)) && !known.contains(name)
    };
    let entries = fs::read_dir(results).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    found.unknown = names.filter(is_stranger).collect();
    found.unknown.sort();
    found
}

/// Differences of many items in a few lines, the most frequent first: `12 results: piv.passes[0].window was 32, is 64`.
pub fn summarize(all: &[(String, Vec<String>)]) -> Vec<String> {
    let mut by_text: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (item, differences) in all {
        for difference in differences {
            by_text.entry(difference).or_default().push(item);
        }
    }
    let mut lines: Vec<(&str, Vec<&str>)> = by_text.into_iter().collect();
    lines.sort_by_key(|(_, items)| std::cmp::Reverse(items.len()));
    let line = |(text, items): (&str, Vec<&str>)| match items[..] {
        [item] => format!("{item}: {text}"),
        _ => format!("{} results, such as {}: {text}", items.len(), items[0]),
    };
    lines.into_iter().map(line).collect()
}
