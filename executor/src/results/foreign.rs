//! Foreign results: results in a folder that belong to no item of a run. They are of another series, of another
//! rule for couples, or of unknown origin.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::Path,
};

use super::{
    MadeWith,
    manifest::{Manifest, ReadManifest, file_name_of},
};

/// Results in a folder that belong to no item of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ForeignResults {
    /// Items that were made otherwise, and the differences of each.
    pub otherwise: Vec<(String, Vec<String>)>,
    /// Files that no manifest describes, and whose names look like those of results.
    pub unknown: Vec<String>,
}

/// A series, for [`find_foreign`].
#[derive(Clone, Debug)]
pub struct SeriesNames {
    /// The names of all items of the series.
    pub items: HashSet<String>,
    /// The file names of all its inputs.
    pub inputs: HashSet<String>,
    /// What an input is called in texts, such as `image`.
    pub input_noun: &'static str,
    /// The endings of files that may be results, such as `.csv`.
    pub endings: &'static [&'static str],
}

/// Looks in a folder for results that belong to no item of a series.
///
/// An item that is made of inputs of the series, in the same way, belongs to it. It may be an item of another range
/// of the series. Results of other tasks are ignored.
pub fn find_foreign(results: &Path, series: &SeriesNames, made_with: &MadeWith) -> ForeignResults {
    let own: HashSet<String> = series.items.iter().map(|item| file_name_of(item)).collect();
    let mut described = HashSet::new();
    let mut found = ForeignResults::default();
    for path in Manifest::paths(results) {
        if path.file_name().is_some_and(|name| own.contains(&*name.to_string_lossy())) {
            continue;
        }
        let ReadManifest::Manifest(manifest, _) = Manifest::read(&path) else { continue };
        described.extend(manifest.files.iter().map(|file| file.name.clone()));
        let exists = manifest.files.iter().any(|file| results.join(&file.name).exists());
        if !exists || manifest.made_with.task() != made_with.task() {
            continue;
        }
        let mut differences = manifest.made_with.differences(made_with);
        let foreign = manifest.inputs.iter().find(|input| !series.inputs.contains(&input.name));
        let noun = series.input_noun;
        differences.extend(foreign.map(|input| format!("{noun} `{}` is not in the series", input.name)));
        if !differences.is_empty() {
            found.otherwise.push((manifest.item, differences));
        }
    }
    let start = made_with.task().map(|task| format!("{task}_")).unwrap_or_default();
    let is_unknown = |name: &String| {
        let item = series.endings.iter().find_map(|ending| name.strip_suffix(ending));
        let looks_like_result =
            item.is_some_and(|item| item.starts_with(&start) && !series.items.contains(item));
        looks_like_result && !described.contains(name)
    };
    let entries = fs::read_dir(results).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    found.unknown = names.filter(is_unknown).collect();
    found.unknown.sort();
    found
}

/// Puts the differences of many items into a few lines, the most frequent first:
/// `12 results, such as piv_1-2: piv.passes[0].window was 32, is 64`.
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
