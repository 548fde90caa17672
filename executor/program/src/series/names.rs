//! What a file name says: the number of the image, its role in a couple, and the rest.
//!
//! Images belong to one series if their names differ only in the number. They belong to one couple if their names
//! differ only in the role. Upper and lower case make no difference, nor do zeros in front of numbers. A file system
//! may see a difference there, but people do not.

/// The role of an image in a couple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    First,
    Second,
}

/// Where the role is in the names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RolePosition {
    /// `im1a`, `P_1_A`, `B00001_LA`, `run.H000.LB`.
    End,
    /// `a_0001`.
    Start,
}

/// What replaces the number in the rest of a name.
const NUMBER: char = '#';

/// A file name, taken apart into its number and the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    /// The number. If it needs more than 128 bits, the largest number.
    pub number: Option<u128>,
    /// With how many digits it is written.
    pub width: usize,
    /// Is it behind a point and another number, as 10 is in `0.10`?
    pub is_fraction: bool,
    /// The name without the number.
    pub rest: String,
}

/// The role in a name, at this position, and the name without it.
pub(super) fn role(stem: &str, place: RolePosition) -> Option<(Role, String)> {
    let (letter, mut rest) = match place {
        RolePosition::End => (stem.chars().next_back()?, stem.get(..stem.len() - 1)?),
        RolePosition::Start => (stem.chars().next()?, stem.get(1..)?),
    };
    let role = match letter.to_ascii_lowercase() {
        'a' => Role::First,
        'b' => Role::Second,
        // `LA` and `LB`: laser A and laser B.
        'l' if place == RolePosition::Start => {
            let (role, rest) = role(rest, place)?;
            return Some((role, rest));
        }
        _ => return None,
    };
    if place == RolePosition::End {
        rest = rest.strip_suffix(['l', 'L']).filter(|rest| rest.ends_with(separates)).unwrap_or(rest);
    }
    let is_apart = match place {
        RolePosition::End => rest.ends_with(separates),
        RolePosition::Start => rest.starts_with(separates),
    };
    is_apart.then(|| (role, normalized(rest)))
}

fn separates(c: char) -> bool {
    c.is_ascii_digit() || "-_. ".contains(c)
}

/// A name as it is compared: in small letters, and with numbers without zeros in front.
fn normalized(name: &str) -> String {
    pieces(name)
        .map(|piece| if is_number(piece) { trimmed(piece).to_owned() } else { piece.to_lowercase() })
        .collect()
}

/// Takes the names of a series apart. The number of a name is its last number that is not the same in all names.
pub(super) fn numbered(stems: &[String]) -> Vec<Numbered> {
    let all: Vec<Vec<&str>> = stems.iter().map(|stem| numbers_from_the_end(stem)).collect();
    let place = own_place(&all);
    let number_at = |index: usize, place: usize| all[index].get(place).map(|digits| value(digits));
    // Other numbers may grow with it, such as times. They belong to the number, and not to the rest.
    let mut order: Vec<usize> = (0..stems.len()).filter(|&index| number_at(index, place).is_some()).collect();
    order.sort_by_key(|&index| number_at(index, place));
    let grows = |other: usize| {
        order.windows(2).all(|two| {
            let [a, b] = [two[0], two[1]].map(|index| number_at(index, other));
            a.is_some() && a < b
        })
    };
    let most = all.iter().map(Vec::len).max().unwrap_or(0);
    let changing: Vec<bool> = (0..most).map(|other| other == place || grows(other)).collect();
    (0..stems.len()).map(|index| one(&stems[index], place, &changing)).collect()
}

fn one(stem: &str, place: usize, changing: &[bool]) -> Numbered {
    let pieces: Vec<&str> = pieces(stem).collect();
    let mut left = pieces.iter().filter(|piece| is_number(piece)).count();
    let mut named = Numbered { number: None, width: 0, is_fraction: false, rest: String::new() };
    for (at, piece) in pieces.iter().enumerate() {
        if !is_number(piece) {
            named.rest.push_str(&piece.to_lowercase());
            continue;
        }
        left -= 1;
        if left == place {
            named.number = Some(value(piece));
            named.width = piece.len();
            named.is_fraction = at >= 2 && pieces[at - 1] == "." && is_number(pieces[at - 2]);
        }
        match changing.get(left) {
            Some(true) => named.rest.push(NUMBER),
            _ => named.rest.push_str(trimmed(piece)),
        }
    }
    named
}

/// The index of the number that images are told apart by, counted from the ends of the names: the last one that is not
/// the same in all names.
pub(super) fn own_place(all: &[Vec<&str>]) -> usize {
    let differ = |place: usize| {
        let mut here = all.iter().filter_map(|numbers| numbers.get(place).map(|digits| value(digits)));
        here.next().is_some_and(|first| here.any(|other| other != first))
    };
    let most = all.iter().map(Vec::len).max().unwrap_or(0);
    (0..most).find(|&place| differ(place)).unwrap_or(0)
}

/// The numbers in a text, the last one first.
pub(super) fn numbers_from_the_end(text: &str) -> Vec<&str> {
    let mut numbers: Vec<&str> = pieces(text).filter(|piece| is_number(piece)).collect();
    numbers.reverse();
    numbers
}

/// The value of digits. If it needs more than 128 bits, the largest number.
pub(super) fn value(digits: &str) -> u128 {
    digits.parse().unwrap_or(u128::MAX)
}

/// The runs of digits in a text, and the texts between them.
fn pieces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let is_other = |c: char| c.is_ascii_digit() != first.is_ascii_digit();
        let (piece, after) = rest.split_at(rest.find(is_other).unwrap_or(rest.len()));
        rest = after;
        Some(piece)
    })
}

fn is_number(piece: &str) -> bool {
    piece.starts_with(|c: char| c.is_ascii_digit())
}

fn trimmed(digits: &str) -> &str {
    match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_stand_at_the_end_or_at_the_start() {
        let at = |stem: &str, place: RolePosition| {
            role(stem, place).map(|(role, rest)| (role == Role::First, rest))
        };
        for (stem, is_first, rest) in [
            ("im1a", true, "im1"),
            ("P_01_B", false, "p_1_"),
            ("B00001_LA", true, "b1_"),
            ("x.H000.LB", false, "x.h0."),
            ("7lb", false, "7"),
        ] {
            assert_eq!(at(stem, RolePosition::End), Some((is_first, rest.to_owned())), "{stem}");
        }
        for stem in ["camera", "a", "b", "1c", "", "lab", "é", "1é"] {
            assert_eq!(at(stem, RolePosition::End), None, "{stem}");
        }
        assert_eq!(at("a_0001", RolePosition::Start), Some((true, "_1".to_owned())));
        assert_eq!(at("LB-7", RolePosition::Start), Some((false, "-7".to_owned())));
        for stem in ["beam_1", "c_1", "", "la", "éa"] {
            assert_eq!(at(stem, RolePosition::Start), None, "{stem}");
        }
    }

    #[test]
    fn the_rest_leaves_out_what_grows_with_the_number() {
        let rests = |names: &[&str]| {
            let stems: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            numbered(&stems).into_iter().map(|name| (name.number, name.rest)).collect::<Vec<_>>()
        };
        let both = |number: u128, rest: &str| (Some(number), rest.to_owned());
        assert_eq!(rests(&["IM01", "im2"]), [both(1, "im#"), both(2, "im#")]);
        assert_eq!(rests(&["t0050_3", "t0060_4"]), [both(3, "t#_#"), both(4, "t#_#")]);
        assert_eq!(rests(&["r1_1", "r1_2", "r2_1"]), [both(1, "r1_#"), both(2, "r1_#"), both(1, "r2_#")]);
        assert_eq!(rests(&["dark", "im1", "im2"])[0], (None, "dark".to_owned()));
    }
}
