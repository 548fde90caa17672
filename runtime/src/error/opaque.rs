//! Errors without a `source`. The shape of their `Debug` text shows what they wrap.
//!
//! A hand-written error enum often has a derived `Debug` and an empty `impl std::error::Error`. Then `source` does not
//! lead into `AppError::Runtime(error)`. But its `Debug` does, since it calls the `Debug` of `error`. So this module
//! calls `Debug` with a sink that keeps no text. If one of this crate's errors holds only a cancellation, it writes a
//! [`SIGN`] into the sink. If the text is only names of wrappers around that sign, as `Runtime(…)` or
//! `Failed { error: … }`, the error counts as the cancellation. If the text has anything else in it (a number, a
//! string, a second value), the error may be a failure that must not get lost. Then it counts as a failure. (An error
//! that holds only a `Cancelled` counts as a cancellation, whatever its name is.) The sink stops the writer at the
//! first character that does not fit, which usually comes early.
//!
//! This happens only when code asks whether a foreign error is a cancellation, and once for each error.

use crate::{
    core::poll_tree::stack::with_stack,
    error::{Cancelled, failure::discard, inside::Cause},
};
use std::{
    cell::Cell,
    fmt::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Stands for a cancellation. It is a private-use character, which should not be in any text by chance.
const SIGN: char = '\u{F57A7}';
/// Stands for any other error of this crate.
const OTHER: char = '!';
/// At most this many characters of a text are read. Errors with a longer text do not count as wrappers.
const LONGEST: usize = 512;

thread_local! {
    static ASKING: Cell<bool> = const { Cell::new(false) };
    static FOUND: Cell<Option<Cancelled>> = const { Cell::new(None) };
}

/// The cancellation that an error wraps, if its `Debug` shows a cancellation and nothing else.
pub(super) fn look(error: Cause<'_>) -> Option<Cancelled> {
    // `Debug` may ask the same about another error. That is a separate question.
    let outer = (ASKING.replace(true), FOUND.take());
    let mut shape = Shape::default();
    let read = catch_unwind(AssertUnwindSafe(|| with_stack(|| write!(shape, "{error:?}"))));
    ASKING.set(outer.0);
    let found = FOUND.replace(outer.1);
    match read {
        Ok(Ok(())) if shape.is_wrapper() => found,
        Ok(_) => None,
        Err(payload) => {
            discard(payload);
            None
        }
    }
}

/// Called by the `Debug` of this crate's errors. If [`look`] has called that `Debug`, this function answers it: by
/// the cancellation, if the error is one.
pub(super) fn answer(
    f: &mut fmt::Formatter<'_>,
    cancelled: impl FnOnce() -> Option<Cancelled>,
) -> Option<fmt::Result> {
    if !ASKING.get() {
        return None;
    }
    Some(match cancelled() {
        Some(cancelled) => {
            FOUND.set(Some(cancelled));
            f.write_char(SIGN)
        }
        None => f.write_char(OTHER),
    })
}

/// Reads a text, and checks whether it can be the text of a wrapper.
#[derive(Default)]
struct Shape {
    read: usize,
    signs: usize,
    /// A name was read, and no value for this name yet.
    is_name_open: bool,
}

impl Shape {
    fn is_wrapper(&self) -> bool {
        self.signs == 1 && !self.is_name_open
    }

    /// Returns whether the text can still be the text of a wrapper.
    fn read(&mut self, c: char) -> bool {
        self.read += 1;
        match c {
            SIGN if self.is_name_open => return false,
            SIGN => self.signs += 1,
            '(' | '{' | ':' => self.is_name_open = false,
            '[' => {}
            ')' | '}' | ']' if self.is_name_open => return false,
            ')' | '}' | ']' | ' ' => {}
            '_' => self.is_name_open = true,
            c if c.is_alphabetic() => self.is_name_open = true,
            // A digit in a name, as in `Step2(…)`. Elsewhere it is a number.
            c if c.is_numeric() && self.is_name_open => {}
            _ => return false,
        }
        self.read <= LONGEST
    }
}

impl Write for Shape {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        if piece.chars().all(|c| self.read(c)) { Ok(()) } else { Err(fmt::Error) }
    }
}
