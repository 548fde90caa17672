//! Which images make a couple, and what the couple is called.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use super::{CoupleRule, file_name, numbers, stem};
use crate::Key;

/// Two images between which displacements are measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Couple {
    /// The couple's name, unique in its series: `im1-2` for `im1.png` and `im2.png`.
    pub name: Key,
    /// The earlier image and the later one.
    pub images: [PathBuf; 2],
}

/// The couples of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Couples {
    /// The rule that made them; never [`CoupleRule::Auto`].
    pub rule: CoupleRule,
    /// The couples, in the series' order.
    pub couples: Vec<Couple>,
    /// Images left without a partner.
    pub single: Vec<PathBuf>,
}

/// Makes couples of the images of a sorted series.
///
/// ```
/// use std::path::PathBuf;
/// use terzetto_executor::series::{CoupleRule, make_couples};
///
/// let images = ["im1.png", "im2.png", "im3.png"].map(PathBuf::from);
/// let made = make_couples(&images, CoupleRule::Auto);
/// let names: Vec<_> = made.couples.iter().map(|couple| couple.name.as_str()).collect();
/// assert_eq!(names, ["im1-2", "im2-3"]);
/// ```
pub fn make_couples(images: &[PathBuf], rule: CoupleRule) -> Couples {
    let lettered = images.iter().all(|path| letter_of(path).is_some());
    let rule = match rule {
        CoupleRule::Auto | CoupleRule::Pairs if lettered => CoupleRule::Letters,
        CoupleRule::Auto => CoupleRule::Consecutive,
        given => given,
    };
    let (pairs, single): (Vec<[&PathBuf; 2]>, Vec<PathBuf>) = match rule {
        CoupleRule::Letters => pair_by_letter(images),
        CoupleRule::Apart(distance) => pair_by_number(images, distance),
        CoupleRule::Pairs => {
            let (pairs, rest) = images.as_chunks::<2>();
            (pairs.iter().map(|[a, b]| [a, b]).collect(), rest.to_vec())
        }
        _ => {
            let successors = images.iter().skip(1);
            (images.iter().zip(successors).map(|(a, b)| [a, b]).collect(), Vec::new())
        }
    };
    Couples { rule, couples: name_all(&pairs), single }
}

/// Pairs `1a` with `1b`. A missing file costs its own couple only: going by position, it would
/// shift all that follow.
fn pair_by_letter(images: &[PathBuf]) -> (Vec<[&PathBuf; 2]>, Vec<PathBuf>) {
    let (mut pairs, mut single) = (Vec::new(), Vec::new());
    let mut rest = images;
    while let [first, after @ ..] = rest {
        rest = match after {
            [second, after @ ..] if is_pair(first, second) => {
                pairs.push([first, second]);
                after
            }
            _ => {
                single.push(first.clone());
                after
            }
        };
    }
    (pairs, single)
}

/// Pairs image number i with number i + `distance`. A missing number costs its own couples only.
fn pair_by_number(images: &[PathBuf], distance: u64) -> (Vec<[&PathBuf; 2]>, Vec<PathBuf>) {
    let numbers = numbers(images);
    let mut by_number = HashMap::new();
    for (path, number) in images.iter().zip(&numbers).rev() {
        // Of several images with one number the first in order counts.
        by_number.insert(*number, path);
    }
    let mut pairs = Vec::new();
    let mut used = HashSet::new();
    for (path, number) in images.iter().zip(&numbers) {
        let partner = number.and_then(|number| by_number.get(&number.checked_add(distance).map(Some)?));
        if let Some(partner) = partner.filter(|_| by_number.get(number) == Some(&path)) {
            pairs.push([path, *partner]);
            used.extend([path, *partner]);
        }
    }
    let single = images.iter().filter(|path| !used.contains(path)).cloned().collect();
    (pairs, single)
}

fn is_pair(first: &Path, second: &Path) -> bool {
    match (letter_of(first), letter_of(second)) {
        (Some((stem_a, 'a')), Some((stem_b, 'b'))) => stem_a == stem_b,
        _ => false,
    }
}

/// Splits `im1a.png` into `im1` and `a`: a letter a or b behind a digit, a dash, an underscore or a
/// dot.
fn letter_of(path: &Path) -> Option<(String, char)> {
    let stem = stem(path);
    let letter = stem.chars().last()?.to_ascii_lowercase();
    let rest = &stem[..stem.len() - letter.len_utf8()];
    let before = rest.chars().last()?;
    (matches!(letter, 'a' | 'b') && (before.is_ascii_digit() || "-_.".contains(before)))
        .then(|| (rest.to_owned(), letter))
}

/// Names the couples shortly, or by whole file names if the short names would not be unique.
fn name_all(pairs: &[[&PathBuf; 2]]) -> Vec<Couple> {
    let short: Vec<String> = pairs.iter().map(|[a, b]| short_name(&stem(a), &stem(b))).collect();
    let unique = short.iter().collect::<HashSet<_>>().len() == short.len();
    let name = |index: usize| {
        let [a, b] = pairs[index];
        match unique {
            true => short[index].clone(),
            false => format!("{}-{}", file_name(a), file_name(b)),
        }
    };
    (0..pairs.len())
        .map(|index| Couple { name: Key::from(name(index)), images: pairs[index].map(Clone::clone) })
        .collect()
}

/// `first-second`, the second without the start that both share; a number is never cut in two.
fn short_name(first: &str, second: &str) -> String {
    let mut shared = first
        .char_indices()
        .zip(second.chars())
        .find(|((_, a), b)| a != b)
        .map_or(first.len().min(second.len()), |((at, _), _)| at);
    let digit_at = |text: &str| text[shared..].starts_with(|c: char| c.is_ascii_digit());
    if digit_at(first) || digit_at(second) {
        shared = first[..shared].trim_end_matches(|c: char| c.is_ascii_digit()).len();
    }
    match &second[shared..] {
        "" => format!("{first}-{second}"),
        rest => format!("{first}-{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(names: &[&str], rule: CoupleRule) -> (CoupleRule, Vec<String>, usize) {
        let images: Vec<PathBuf> = names.iter().map(PathBuf::from).collect();
        let couples = make_couples(&images, rule);
        let names = couples.couples.iter().map(|couple| couple.name.to_string()).collect();
        (couples.rule, names, couples.single.len())
    }

    #[test]
    fn consecutive_images_overlap() {
        let (rule, names, single) = made(&["k_01.bmp", "k_02.bmp", "k_03.bmp"], CoupleRule::Auto);
        assert_eq!((rule, single), (CoupleRule::Consecutive, 0));
        assert_eq!(names, ["k_01-02", "k_02-03"]);
    }

    #[test]
    fn letters_make_pairs() {
        let names = ["c060a.png", "c060b.png", "c061a.png", "c061b.png"];
        let (rule, names, single) = made(&names, CoupleRule::Auto);
        assert_eq!((rule, single), (CoupleRule::Letters, 0));
        assert_eq!(names, ["c060a-b", "c061a-b"]);
    }

    #[test]
    fn a_missing_partner_shifts_nothing() {
        let names = ["1a.png", "1b.png", "2a.png", "3a.png", "3b.png", "4b.png"];
        let (_, names, single) = made(&names, CoupleRule::Auto);
        assert_eq!(names, ["1a-b", "3a-b"]);
        assert_eq!(single, 2);
    }

    #[test]
    fn pairs_by_position() {
        let (_, names, single) = made(&["9", "10", "11", "12", "13"], CoupleRule::Pairs);
        assert_eq!(names, ["9-10", "11-12"]);
        assert_eq!(single, 1);
    }

    #[test]
    fn letters_alone_make_couples_if_asked() {
        let (_, names, single) = made(&["1a.png", "1b.png", "dark.png"], CoupleRule::Letters);
        assert_eq!((names, single), (vec!["1a-b".to_owned()], 1));
        assert_eq!(made(&["1.png", "2.png"], CoupleRule::Letters).1, [""; 0]);
    }

    #[test]
    fn numbers_apart_and_gaps() {
        let names = ["im1", "im2", "im3", "im5", "im6", "mask"];
        let (_, made_names, single) = made(&names, CoupleRule::Apart(1));
        assert_eq!((made_names, single), (vec!["im1-2".to_owned(), "im2-3".into(), "im5-6".into()], 1));
        let (_, made_names, single) = made(&names, CoupleRule::Apart(2));
        assert_eq!((made_names, single), (vec!["im1-3".to_owned(), "im3-5".into()], 3));
    }

    #[test]
    fn numbers_are_not_cut() {
        assert_eq!(short_name("im1", "im10"), "im1-10");
        assert_eq!(short_name("im19", "im20"), "im19-20");
        assert_eq!(short_name("same", "same"), "same-same");
        assert_eq!(short_name("x", "y"), "x-y");
    }

    #[test]
    fn names_stay_unique() {
        let (_, names, _) = made(&["a1.bmp", "a1.png", "a1.tif"], CoupleRule::Consecutive);
        assert_eq!(names, ["a1.bmp-a1.png", "a1.png-a1.tif"]);
    }
}
