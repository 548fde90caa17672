//! Couples by roles: names that say which image is the first and which the second, such as `1a` and `1b`.

use std::{collections::BTreeMap, path::PathBuf};

use terzetto_executor::results::stem;

use super::{
    CouplesError,
    couples::RawCouples,
    names::{Role, RolePosition, role},
    natural_order,
};

/// Do all names with a number have a role, and do both roles occur?
pub(super) fn names_have_roles(images: &[PathBuf]) -> bool {
    let Some(position) = role_position(images) else { return false };
    let has_number = |stem: &str| stem.contains(|c: char| c.is_ascii_digit());
    images.iter().map(|path| stem(path)).all(|stem| role(&stem, position).is_some() || !has_number(&stem))
}

/// The position at which both roles occur.
pub(super) fn role_position(images: &[PathBuf]) -> Option<RolePosition> {
    let has_both = |position: &RolePosition| {
        let is = |wanted: Role| {
            images.iter().any(|path| role(&stem(path), *position).is_some_and(|(role, _)| role == wanted))
        };
        is(Role::First) && is(Role::Second)
    };
    [RolePosition::End, RolePosition::Start].into_iter().find(has_both)
}

/// Makes couples of images whose names differ only in the role. A missing image costs its own couple only.
pub(super) fn make(images: &[PathBuf]) -> Result<RawCouples<'_>, CouplesError> {
    let position = role_position(images).unwrap_or(RolePosition::End);
    let mut made = RawCouples::default();
    let mut by_rest: BTreeMap<String, [Option<&PathBuf>; 2]> = BTreeMap::new();
    for image in images {
        let Some((role, rest)) = role(&stem(image), position) else {
            made.leave_out(
                image,
                "its name does not say whether it is the first or the second image (a or b)",
            );
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
            [Some(first), None] => made.leave_out(first, "there is no second image (b) of this name"),
            [None, Some(second)] => made.leave_out(second, "there is no first image (a) of this name"),
            [None, None] => {}
        }
    }
    Ok(made)
}
