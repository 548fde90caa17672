//! Natural order of file names: `im9` comes before `im10`.

use std::cmp::Ordering;

/// Compares two names in natural order. Runs of digits are compared as numbers, and all other characters one by one,
/// without regard to case.
///
/// Names that differ only in leading zeros or in case are ordered by their text. So only equal names are equal.
///
/// ```
/// use terzetto_program::series::natural_order;
///
/// let mut names = ["im10b", "im9a", "im10a", "im009b"];
/// names.sort_by(|a, b| natural_order(a, b));
/// assert_eq!(names, ["im9a", "im009b", "im10a", "im10b"]);
/// ```
pub fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut rest_a, mut rest_b) = (a, b);
    while !rest_a.is_empty() && !rest_b.is_empty() {
        let (piece_a, piece_b) = (take_piece(&mut rest_a), take_piece(&mut rest_b));
        let order = match (is_number(piece_a), is_number(piece_b)) {
            (true, true) => compare_numbers(piece_a, piece_b),
            _ => {
                piece_a.chars().flat_map(char::to_lowercase).cmp(piece_b.chars().flat_map(char::to_lowercase))
            }
        };
        if order.is_ne() {
            return order;
        }
    }
    rest_a.len().cmp(&rest_b.len()).then_with(|| a.cmp(b))
}

/// Compares numbers of any length. Without leading zeros, the number with more digits is larger.
fn compare_numbers(a: &str, b: &str) -> Ordering {
    let (a, b) = (a.trim_start_matches('0'), b.trim_start_matches('0'));
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

fn is_number(piece: &str) -> bool {
    piece.starts_with(|c: char| c.is_ascii_digit())
}

/// Cuts off the digits at the start, or one other character.
fn take_piece<'a>(rest: &mut &'a str) -> &'a str {
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let length = match digits {
        0 => rest.chars().next().map_or(0, char::len_utf8),
        _ => digits,
    };
    let (piece, after) = rest.split_at(length);
    *rest = after;
    piece
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_by_value() {
        let pairs = [
            ("2", "10"),
            ("a2b", "a10b"),
            ("im1", "im1b"),
            ("x", "y"),
            ("9", "a"),
            ("IM2", "im10"),
            ("b2", "C1"),
        ];
        for (a, b) in pairs {
            assert_eq!(natural_order(a, b), Ordering::Less, "{a} {b}");
            assert_eq!(natural_order(b, a), Ordering::Greater, "{b} {a}");
        }
    }

    #[test]
    fn only_equal_names_are_equal() {
        assert_eq!(natural_order("im01", "im01"), Ordering::Equal);
        assert_ne!(natural_order("im01", "im1"), Ordering::Equal);
        assert_eq!(natural_order("im01", "im1"), natural_order("im1", "im01").reverse());
    }

    #[test]
    fn long_numbers_and_letters_beyond_ascii() {
        let long = "9".repeat(50);
        assert_eq!(natural_order(&long, &format!("1{long}")), Ordering::Less);
        assert_eq!(natural_order("é2", "é10"), Ordering::Less);
    }
}
