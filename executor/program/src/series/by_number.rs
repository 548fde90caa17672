//! Couples by the numbers in the names.
//!
//! Images belong to one series if their names differ only in the number. A folder may have several series. In each, the
//! numbers go up in equal steps: 1, 2, 3, or 10, 20, 30 if every tenth image was kept. A missing image makes no couple.
//! So a gap costs the couples at its edges, and no others.

use std::{collections::BTreeMap, path::PathBuf};

use terzetto_executor::results::{file_name, stem};

use super::{
    CoupleRule, CouplesError,
    by_role::{names_have_roles, role_position},
    couples::RawCouples,
    names::{Numbered, Role, numbered, role},
    natural_order,
};

/// The images of one series by number.
struct NumberedSeries<'a> {
    images: BTreeMap<u128, &'a PathBuf>,
    /// Are there two images of each number, a and b? Then each number counts as two numbers.
    doubled: bool,
}

impl NumberedSeries<'_> {
    /// A number as it is written in names.
    fn label(&self, number: u128) -> String {
        match self.doubled {
            true => format!("{}{}", number / 2, if number.is_multiple_of(2) { 'a' } else { 'b' }),
            false => number.to_string(),
        }
    }
}

pub(super) fn none_has_a_number(images: &[PathBuf]) -> bool {
    images.iter().all(|path| !stem(path).contains(|c: char| c.is_ascii_digit()))
}

/// The numbers in the names, and whether they are doubled. If names have roles, the order is 1a, 1b, 2a.
fn read(images: &[PathBuf], rule: CoupleRule) -> (Vec<Numbered>, bool) {
    let place = role_position(images).filter(|_| rule != CoupleRule::Pairs && names_have_roles(images));
    let Some(role_position) = place.filter(|_| !matches!(rule, CoupleRule::Apart(_))) else {
        return (numbered(&images.iter().map(|path| stem(path)).collect::<Vec<_>>()), false);
    };
    let (mut stems, mut seconds) = (Vec::new(), Vec::new());
    for path in images {
        let (found, rest) =
            role(&stem(path), role_position).map_or((None, stem(path)), |(role, rest)| (Some(role), rest));
        stems.push(rest);
        seconds.push(u128::from(found == Some(Role::Second)));
    }
    let mut names = numbered(&stems);
    for (name, second) in names.iter_mut().zip(seconds) {
        name.number = name.number.map(|number| number.saturating_mul(2).saturating_add(second));
    }
    (names, true)
}

pub(super) fn make(images: &[PathBuf], rule: CoupleRule) -> Result<RawCouples<'_>, CouplesError> {
    let (names, doubled) = read(images, rule);
    check_fractions(images, &names)?;
    let mut made = RawCouples::default();
    let mut all: BTreeMap<&str, NumberedSeries<'_>> = BTreeMap::new();
    for (image, name) in images.iter().zip(&names) {
        let Some(number) = name.number else {
            made.leave_out(image, "its name has no number");
            continue;
        };
        if let Some(other) = all
            .entry(&name.rest)
            .or_insert_with(|| NumberedSeries { images: BTreeMap::new(), doubled })
            .images
            .insert(number, image)
        {
            let number = if doubled { number / 2 } else { number };
            return Err(CouplesError::SameNumber(number, [other.clone(), image.clone()]));
        }
    }
    let mut all: Vec<_> = all.into_iter().collect();
    all.sort_by(|a, b| natural_order(a.0, b.0));
    if all.len() > 1 {
        let names: Vec<&str> = all.iter().take(3).map(|(rest, _)| *rest).collect();
        let more = if all.len() > names.len() { ", …" } else { "" };
        made.notes.push(format!(
            "the names are of {} series, and images of two series make no couple: {}{more}",
            all.len(),
            names.join(", ")
        ));
    }
    for (_, series) in &all {
        match rule {
            CoupleRule::Apart(distance) => apart(series, distance.into(), &mut made),
            rule => in_steps(series, rule, &mut made)?,
        }
    }
    Ok(made)
}

/// Checks that numbers do not look like fractions of different length: `0.10` may come after `0.2` or before it.
fn check_fractions(images: &[PathBuf], names: &[Numbered]) -> Result<(), CouplesError> {
    let mut fractions = images.iter().zip(names).filter(|(_, name)| name.is_fraction);
    let Some((first, width)) = fractions.next().map(|(image, name)| (image, name.width)) else {
        return Ok(());
    };
    match fractions.find(|(_, name)| name.width != width) {
        Some((other, _)) => Err(CouplesError::Fraction([first.clone(), other.clone()])),
        None => Ok(()),
    }
}

/// Makes couples of number i and number i + `distance`.
fn apart<'a>(series: &NumberedSeries<'a>, distance: u128, made: &mut RawCouples<'a>) {
    let before = |number: u128| number.checked_sub(distance).and_then(|number| series.images.get(&number));
    let after = |number: u128| number.checked_add(distance).and_then(|number| series.images.get(&number));
    for (&number, &image) in &series.images {
        match after(number) {
            Some(&partner) => made.pairs.push([image, partner]),
            None if before(number).is_none() => {
                made.leave_out(image, format!("there is no image whose number is {distance} more or less"));
            }
            None => {}
        }
    }
}

/// Makes couples of each number and the next one, or of numbers two by two.
fn in_steps<'a>(
    series: &NumberedSeries<'a>,
    rule: CoupleRule,
    made: &mut RawCouples<'a>,
) -> Result<(), CouplesError> {
    let images: Vec<(u128, &PathBuf)> =
        series.images.iter().map(|(number, image)| (*number, *image)).collect();
    let Some(step) = step(&images)? else {
        let alone = "no other image is called like it but for the number";
        images.iter().for_each(|(_, image)| made.leave_out(image, alone));
        return Ok(());
    };
    if step > 1 {
        made.notes.push(format!("the numbers go up by {step}"));
    }
    for two in images.windows(2) {
        let [(a, first), (b, second)] = [two[0], two[1]];
        if b - a != step {
            let names = format!("`{}` and `{}`", file_name(first), file_name(second));
            let (a, b) = (series.label(a), series.label(b));
            made.notes.push(format!("a gap in the numbers from {a} to {b}: {names} make no couple"));
        }
    }
    let is_next = |a: usize| images.get(a + 1).is_some_and(|(number, _)| number - images[a].0 == step);
    if rule != CoupleRule::Pairs {
        for (at, &(number, image)) in images.iter().enumerate() {
            if is_next(at) {
                made.pairs.push([image, images[at + 1].1]);
            } else if at == 0 || !is_next(at - 1) {
                made.leave_out(image, format!("there is no image {}", neighbours(series, number, step)));
            }
        }
        return Ok(());
    }
    let odd = first_of_a_pair(&images, step)?;
    let is_first = |number: u128| (number / step) % 2 == odd;
    for (at, &(number, image)) in images.iter().enumerate() {
        let (first, partner) = match is_first(number) {
            true => (is_next(at), number.saturating_add(step)),
            false => (false, number.saturating_sub(step)),
        };
        if first {
            made.pairs.push([image, images[at + 1].1]);
        } else if is_first(number) || at == 0 || !is_next(at - 1) {
            made.leave_out(image, format!("there is no image {partner}"));
        }
    }
    Ok(())
}

/// The numbers before and after, as text.
fn neighbours(series: &NumberedSeries<'_>, number: u128, step: u128) -> String {
    let after = series.label(number.saturating_add(step));
    match number.checked_sub(step) {
        Some(before) => format!("{} and no image {after}", series.label(before)),
        None => after,
    }
}

/// By how much the numbers go up. `None` for a single image.
fn step(images: &[(u128, &PathBuf)]) -> Result<Option<u128>, CouplesError> {
    let steps = || images.windows(2).map(|two| two[1].0 - two[0].0);
    let Some(step) = steps().min() else { return Ok(None) };
    match steps().position(|other| !other.is_multiple_of(step)) {
        Some(at) => {
            let images = [images[at].1.clone(), images[at + 1].1.clone()];
            Err(CouplesError::UnequalSteps { step, images })
        }
        None => Ok(Some(step)),
    }
}

/// Which numbers begin a couple: those whose count of steps is even (0) or odd (1). A series begins with 0 or 1, or
/// with 10 if every tenth image was kept. If it begins with another number, its first image may be missing.
fn first_of_a_pair(images: &[(u128, &PathBuf)], step: u128) -> Result<u128, CouplesError> {
    let couples = |odd: u128| {
        let whole = |two: &&[(u128, &PathBuf)]| (two[0].0 / step) % 2 == odd && two[1].0 - two[0].0 == step;
        images.windows(2).filter(whole).count()
    };
    let (number, first) = images[0];
    let odd = (number / step) % 2;
    if number <= 1 || number == step || couples(odd) > couples(1 - odd) {
        return Ok(odd);
    }
    Err(CouplesError::WhichIsFirst { number, next: number + step, image: first.clone() })
}
