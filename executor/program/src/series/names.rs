//! What the file names of a series say: of each image its number, its role in a couple, and the rest.
//!
//! Two images belong to one series if their names are the same but for the number, and to one couple if they are the
//! same but for the role. Upper and lower case, and zeros in front of numbers, make no difference: to the file system
//! they may, to people they do not.

/// Which image of a couple.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    First,
    Second,
}

/// Where in the names roles stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `im1a`, `P_1_A`, `B00001_LA`, `run.H000.LB`.
    End,
    /// `a_0001`.
    Start,
}

/// What stands in the number's place in the rest of a name.
const NUMBER: char = '#';

/// A file name, its number apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Numbered {
    /// The number; beyond 128 bits, the largest one.
    pub number: Option<u128>,
    /// How many digits it is written with.
    pub width: usize,
    /// Does it stand behind a point and another number, as the 10 in `0.10`?
    pub is_fraction: bool,
    /// The name without it.
    pub rest: String,
}

/// The role that a name says, at one of the places, and the name without it.
pub(super) fn role(stem: &str, place: Place) -> Option<(Role, String)> {
    let (letter, mut rest) = match place {
        Place::End => (stem.chars().next_back()?, stem.get(..stem.len() - 1)?),
        Place::Start => (stem.chars().next()?, stem.get(1..)?),
    };
    let role = match letter.to_ascii_lowercase() {
        'a' => Role::First,
        'b' => Role::Second,
        // `LA` and `LB`: laser A and laser B.
        'l' if place == Place::Start => {
            let (role, rest) = role(rest, place)?;
            return Some((role, rest));
        }
        _ => return None,
    };
    if place == Place::End {
        rest = rest.strip_suffix(['l', 'L']).filter(|rest| rest.ends_with(separates)).unwrap_or(rest);
    }
    let is_apart = match place {
        Place::End => rest.ends_with(separates),
        Place::Start => rest.starts_with(separates),
    };
    is_apart.then(|| (role, plain(rest)))
}

fn separates(c: char) -> bool {
    c.is_ascii_digit() || "-_. ".contains(c)
}

/// A name as it is compared: small letters, numbers without zeros in front.
fn plain(name: &str) -> String {
    pieces(name)
        .map(|piece| if is_number(piece) { trimmed(piece).to_owned() } else { piece.to_lowercase() })
        .collect()
}

/// The names of a series, their numbers apart: the last number of a name that is not the same in all names.
pub(super) fn numbered(stems: &[String]) -> Vec<Numbered> {
    let all: Vec<Vec<&str>> = stems.iter().map(|stem| numbers_from_the_end(stem)).collect();
    let place = own_place(&all);
    let number_at = |index: usize, place: usize| all[index].get(place).map(|digits| value(digits));
    // Other numbers that grow with it, such as times, tell images of one series apart, too.
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

/// Which number, counted from the names' ends, is the images' own: the last one that is not the same in all names.
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

/// The number that digits write; beyond 128 bits, the largest one.
pub(super) fn value(digits: &str) -> u128 {
    digits.parse().unwrap_or(u128::MAX)
}

/// The runs of digits of a text, and what is between them.
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
        let at = |stem: &str, place: Place| role(stem, place).map(|(role, rest)| (role == Role::First, rest));
        for (stem, is_first, rest) in [
            ("im1a", true, "im1"),
            ("P_01_B", false, "p_1_"),
            ("B00001_LA", true, "b1_"),
            ("x.H000.LB", false, "x.h0."),
            ("7lb", false, "7"),
        ] {
            assert_eq!(at(stem, Place::End), Some((is_first, rest.to_owned())), "{stem}");
        }
        for stem in ["camera", "a", "b", "1c", "", "lab", "é", "1é"] {
            assert_eq!(at(stem, Place::End), None, "{stem}");
        }
        assert_eq!(at("a_0001", Place::Start), Some((true, "_1".to_owned())));
        assert_eq!(at("LB-7", Place::Start), Some((false, "-7".to_owned())));
        for stem in ["beam_1", "c_1", "", "la", "éa"] {
            assert_eq!(at(stem, Place::Start), None, "{stem}");
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
