//! Which mask belongs to which couple.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
};

use terzetto_executor::{BoxError, Key, results::file_name};

use super::polygons::is_file_of_polygons;
use crate::series::{Couple, IMAGE_EXTENSIONS, folder_of, natural_order, numbers};

/// The mask files of the couples: `path` is a folder, or a pattern of file names in one. A mask belongs to the couple
/// whose first image has the same number; `images` are all images of the series, from which their numbers are told.
///
/// # Errors
/// The folder cannot be listed, a mask has no number, two masks have the same one, or a couple has no mask.
pub fn mask_files(
    path: &Path,
    couples: &[Couple],
    images: &[PathBuf],
) -> Result<HashMap<Key, PathBuf>, BoxError> {
    let files = list_masks(path)?;
    let mut masks: HashMap<u64, &PathBuf> = HashMap::new();
    for (number, file) in numbers(&files).into_iter().zip(&files) {
        let number =
            number.ok_or_else(|| format!("the mask `{}` has no number in its name", file.display()))?;
        if let Some(other) = masks.insert(number, file) {
            let (other, file) = (other.display(), file.display());
            return Err(format!("the masks `{other}` and `{file}` have the same number").into());
        }
    }
    let numbers: HashMap<&PathBuf, Option<u64>> = images.iter().zip(numbers(images)).collect();
    let mut found = HashMap::new();
    for Couple { name, images: [first, _] } in couples {
        let number = numbers.get(first).copied().flatten();
        let number =
            number.ok_or_else(|| format!("`{}` has no number, by which it has a mask", first.display()))?;
        let mask = masks.get(&number).ok_or_else(|| {
            let path = path.display();
            format!("couple `{name}` has no mask: there is none of number {number} in `{path}`")
        })?;
        found.insert(name.clone(), (*mask).clone());
    }
    let left = masks.len() - found.values().collect::<std::collections::HashSet<_>>().len();
    if left > 0 {
        log::info!("masks in `{}` that belong to no couple: {left}", path.display());
    }
    Ok(found)
}

/// The masks in a folder, or those that a pattern of file names chooses: images and files of polygons, in natural
/// order.
///
/// # Errors
/// The folder cannot be listed, or has no mask.
pub fn list_masks(path: &Path) -> Result<Vec<PathBuf>, BoxError> {
    let folder = folder_of(path);
    let pattern = match folder == path {
        true => None,
        false => Some(
            glob::Pattern::new(&file_name(path)).map_err(|error| format!("`{}`: {error}", path.display()))?,
        ),
    };
    let failed = |error| format!("cannot list the masks in `{}`: {error}", folder.display());
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = file_name(&path);
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let is_mask =
            is_file_of_polygons(&path) || ending.is_some_and(|ending| IMAGE_EXTENSIONS.contains(&&*ending));
        if is_mask && !name.starts_with('.') && pattern.as_ref().is_none_or(|pattern| pattern.matches(&name))
        {
            files.push(path);
        }
    }
    files.sort_by(|a, b| natural_order(&file_name(a), &file_name(b)));
    match files.is_empty() {
        true => {
            Err(format!("there is no mask in `{}`: masks are images, .toml or .json", path.display()).into())
        }
        false => Ok(files),
    }
}
