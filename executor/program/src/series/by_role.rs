//! Couples of images whose names say which one is the first and which the second: `1a` and `1b`.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    CouplesError,
    couples::Made,
    names::{Place, Role, role},
    natural_order,
};
use terzetto_executor::results::stem;

/// Do all names that have a number say which image of a couple they are, and are there both?
pub(super) fn names_have_roles(images: &[PathBuf]) -> bool {
    let Some(place) = place(images) else { return false };
    let has_number = |stem: &str| stem.contains(|c: char| c.is_ascii_digit());
    images.iter().map(|path| stem(path)).all(|stem| role(&stem, place).is_some() || !has_number(&stem))
}

/// Where the roles stand: where there are both.
pub(super) fn place(images: &[PathBuf]) -> Option<Place> {
    let has_both = |place: &Place| {
        let is = |wanted: Role| {
            images.iter().any(|path| role(&stem(path), *place).is_some_and(|(role, _)| role == wanted))
        };
        is(Role::First) && is(Role::Second)
    };
    [Place::End, Place::Start].into_iter().find(has_both)
}

/// Pairs images whose names are the same but for the role. A missing image costs its own couple only.
pub(super) fn make(images: &[PathBuf]) -> Result<Made<'_>, CouplesError> {
    let place = place(images).unwrap_or(Place::End);
    let mut made = Made::default();
    let mut by_rest: BTreeMap<String, [Option<&PathBuf>; 2]> = BTreeMap::new();
    for image in images {
        let Some((role, rest)) = role(&stem(image), place) else {
            made.leave(image, "its name does not say whether it is the first or the second image (a or b)");
            continue;
        };
        let here = &mut by_rest.entry(rest).or_default()[if role == Role::First { 0 } else { 1 }];
        if let Some(other) = here.replace(image) {
            return Err(CouplesError::SameRole([other.clone(), image.clone()]));
        }
    }
    let mut all: Vec<_> = by_rest.into_iter().collect();
    all.sort_by(|a, b| natural_order(&a.0, &b.0));
    for (_, found) in all {
        match found {
            [Some(first), Some(second)] => made.pairs.push([first, second]),
            [Some(first), None] => made.leave(first, "there is no second image (b) of this name"),
            [None, Some(second)] => made.leave(second, "there is no first image (a) of this name"),
            [None, None] => {}
        }
    }
    Ok(made)
}
