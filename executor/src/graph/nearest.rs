//! Which name may be meant by a misspelt one.

/// The name that is most like a wrong one. `None` if none is like it: more than two in five of its letters differ.
pub(super) fn nearest<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let with_distance = names.iter().map(|name| (edit_distance(wrong, name), *name));
    let (distance, name) = with_distance.min_by_key(|(distance, _)| *distance)?;
    (distance * 5 <= name.chars().count() * 2).then_some(name)
}

/// How many letters must be put in, taken out or replaced to make one text of another (Levenshtein 1966).
fn edit_distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    // Distances of the beginning of `from` so far to each beginning of `to`.
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (above, letter) in from.chars().enumerate() {
        let mut diagonal = above;
        row[0] = above + 1;
        for (left, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[left + 1];
            row[left + 1] = replaced.min(diagonal + 1).min(row[left] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_if_few_letters_differ() {
        assert_eq!(edit_distance("kitten", "sitting"), 3);
        assert_eq!(edit_distance("", "añb"), 3);
        assert_eq!(nearest("nmaes", &["large", "names", "numbers"]), Some("names"));
        assert_eq!(nearest("read imges", &["read image", "read couple"]), Some("read image"));
        assert_eq!(nearest("divide", &["await", "count", "multiply"]), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
