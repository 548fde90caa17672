//! Writing JSON. Reading it is not needed here, and so a crate for both would be more than what is used.

use std::fmt::{self, Display, Write};

/// A string in quotes.
pub(super) struct Text<'a>(pub(super) &'a str);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for c in self.0.chars() {
            match c {
                '"' => f.write_str("\\\"")?,
                '\\' => f.write_str("\\\\")?,
                '\n' => f.write_str("\\n")?,
                c if c < ' ' => write!(f, "\\u{:04x}", c as u32)?,
                c => f.write_char(c)?,
            }
        }
        f.write_char('"')
    }
}

/// A number. JSON has no infinity, so what is not finite is `null`.
pub(super) struct Number(pub(super) f64);

impl Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.is_finite() {
            true => write!(f, "{}", self.0),
            false => f.write_str("null"),
        }
    }
}

/// A value, or `null`.
pub(super) struct OrNull<T>(pub(super) Option<T>);

impl<T: Display> Display for OrNull<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some(value) => value.fmt(f),
            None => f.write_str("null"),
        }
    }
}

/// A list in brackets. Each item writes itself.
pub(super) fn list<T>(
    to: &mut String,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    to.push('[');
    for (number, item) in items.into_iter().enumerate() {
        if number > 0 {
            to.push(',');
        }
        write(to, item);
    }
    to.push(']');
}

#[cfg(test)]
mod tests {
    use super::{Number, Text};

    #[test]
    fn texts_are_escaped_and_numbers_are_finite() {
        assert_eq!(Text("a \"b\" \\ \n\u{1} ü").to_string(), r#""a \"b\" \\ \n\u0001 ü""#);
        assert_eq!(
            [1.5, 2.0, f64::INFINITY, f64::NAN].map(|n| Number(n).to_string()),
            ["1.5", "2", "null", "null"]
        );
    }
}
