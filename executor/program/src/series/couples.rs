//! Which images make a couple, and the name of the couple.
//!
//! Couples are made by what the names say: by numbers and roles, and never by position alone. With positions, a missing
//! image would shift all later ones, and each couple after it would be wrong without looking wrong. Names that leave
//! it open are refused, with a hint what to do.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
};

use terzetto_executor::{
    Key,
    results::{file_name, stem},
};

use super::{CoupleRule, CouplesError, by_number, by_role};

/// Two images between which displacements are measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Couple {
    /// The name of the couple: `im1-2` for `im1.png` and `im2.png`. It is unique in its series.
    pub name: Key,
    /// The earlier image and the later one.
    pub images: [PathBuf; 2],
}

/// An image that belongs to no couple.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOverImage {
    /// The image.
    pub image: PathBuf,
    /// The reason.
    pub why: String,
}

/// The couples of a series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Couples {
    /// The rule that has made them. It is never [`CoupleRule::Auto`].
    pub rule: CoupleRule,
    /// The couples, in the order of the series.
    pub couples: Vec<Couple>,
    /// Images that belong to no couple, and the reasons.
    pub single: Vec<LeftOverImage>,
    /// Other notes that matter before a long computation: gaps in the numbers, several series in one folder.
    pub notes: Vec<String>,
}

/// The couples that a rule makes, before they have names.
#[derive(Default)]
pub(super) struct RawCouples<'a> {
    pub pairs: Vec<[&'a PathBuf; 2]>,
    pub single: Vec<LeftOverImage>,
    pub notes: Vec<String>,
}

impl RawCouples<'_> {
    pub fn leave_out(&mut self, image: &Path, why: impl Into<String>) {
        self.single.push(LeftOverImage { image: image.to_owned(), why: why.into() });
    }
}

/// Makes couples of the images of a series.
///
/// ```
/// use std::path::PathBuf;
/// use terzetto_program::series::{CoupleRule, make_couples};
///
/// let images = ["im1.png", "im2.png", "im3.png", "im5.png"].map(PathBuf::from);
/// let made = make_couples(&images, CoupleRule::Auto)?;
/// let names: Vec<_> = made.couples.iter().map(|couple| couple.name.as_str()).collect();
/// assert_eq!(names, ["im1-2", "im2-3"]);
/// assert_eq!(made.single[0].image, PathBuf::from("im5.png"));
/// # Ok::<(), terzetto_program::series::CouplesError>(())
/// ```
///
/// # Errors
///
/// [`CouplesError`] if the names leave open which images belong together, or if no images do.
pub fn make_couples(images: &[PathBuf], rule: CoupleRule) -> Result<Couples, CouplesError> {
    let rule = match rule {
        CoupleRule::Auto | CoupleRule::Pairs if by_role::names_have_roles(images) => CoupleRule::Letters,
        CoupleRule::Auto => CoupleRule::Consecutive,
        given => given,
    };
    let made = match rule {
        CoupleRule::Letters => by_role::make(images)?,
        CoupleRule::Order => in_order(images)?,
        CoupleRule::Consecutive | CoupleRule::Pairs if by_number::none_has_a_number(images) => {
            let mut made = if rule == CoupleRule::Pairs { two_by_two(images)? } else { in_order(images)? };
            let text = "the images' names have no numbers: couples go by the order of the names";
            made.notes.push(text.to_owned());
            made
        }
        rule => by_number::make(images, rule)?,
    };
    if made.pairs.is_empty() {
        let why = made.single.first().map(|left| (left.image.clone(), left.why.clone()));
        return Err(CouplesError::NoCouple { count: images.len(), rule, why });
    }
    Ok(Couples { rule, couples: name_all(&made.pairs), single: made.single, notes: made.notes })
}

/// Couples of each image and the next one.
fn in_order(images: &[PathBuf]) -> Result<RawCouples<'_>, CouplesError> {
    check_names(images)?;
    let pairs = images.iter().zip(images.iter().skip(1)).map(|(a, b)| [a, b]).collect();
    Ok(RawCouples { pairs, ..RawCouples::default() })
}

fn check_names(images: &[PathBuf]) -> Result<(), CouplesError> {
    match same_name(images) {
        Some(two) => Err(CouplesError::SameName(two.map(Clone::clone))),
        None => Ok(()),
    }
}

/// Two images whose names differ only in the ending. Most likely they are one image in two files.
pub fn same_name(images: &[PathBuf]) -> Option<[&PathBuf; 2]> {
    let mut seen = HashMap::new();
    images.iter().find_map(|path| Some([seen.insert(stem(path).to_lowercase(), path)?, path]))
}

fn two_by_two(images: &[PathBuf]) -> Result<RawCouples<'_>, CouplesError> {
    check_names(images)?;
    let (pairs, rest) = images.as_chunks::<2>();
    let mut made = RawCouples { pairs: pairs.iter().map(|[a, b]| [a, b]).collect(), ..RawCouples::default() };
    rest.iter().for_each(|image| made.leave_out(image, "it is the last one of an odd number"));
    Ok(made)
}

/// Gives the couples short names. If these are not unique, the names are made of whole file names.
pub(super) fn name_all(pairs: &[[&PathBuf; 2]]) -> Vec<Couple> {
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

/// The name `first-second`. The second part leaves out the start that both share, but never a part of a number.
pub(super) fn short_name(first: &str, second: &str) -> String {
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

    #[test]
    fn numbers_are_not_cut() {
        assert_eq!(short_name("im1", "im10"), "im1-10");
        assert_eq!(short_name("im19", "im20"), "im19-20");
        assert_eq!(short_name("same", "same"), "same-same");
        assert_eq!(short_name("x", "y"), "x-y");
    }
}
