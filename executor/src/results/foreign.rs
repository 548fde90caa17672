//! Results in a folder that do not belong to a run: of another series, another rule for couples, of unknown origin.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

use super::{
    MadeWith,
    manifest::{Found, Manifest, file_name_of},
};

/// Results in a folder that are of none of the items of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Strangers {
    /// Those made otherwise: item, and what differs.
    pub otherwise: Vec<(String, Vec<String>)>,
    /// Files that no manifest knows, whose names are like those of results.
    pub unknown: Vec<String>,
}

/// Looks for results in a folder that do not belong to a series: `items` are the names of all its items, `images` those of
/// all its images. Results made in the same way of images of the series, such as those of another range, belong to it;
/// those of other tasks are not looked at.
pub fn strangers(
    results: &Path,
    items: &HashSet<String>,
    made_with: &MadeWith,
    images: &HashSet<String>,
) -> Strangers {
    let own: HashSet<String> = items.iter().map(|item| file_name_of(item)).collect();
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
