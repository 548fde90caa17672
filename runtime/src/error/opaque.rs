//! Errors that tell no source: what they wrap is read off the shape of their `Debug` text.
//!
//! An enum that is written by hand gets its `Debug` derived, and an empty `impl std::error::Error`. Nobody can look
//! into `AppError::Runtime(error)` then; but its `Debug` does, and asks `error` for its own. So `Debug` is called with a sink
//! that keeps nothing: an error of ours in which there is only a cancellation leaves a [`SIGN`] there. If the text is nothing
//! but names of wrappers around that sign, `Runtime(…)` or `Failed { error: … }`, the error is taken for the cancellation.
//! A text with anything else in it (a number, a string, a second value) speaks of a failure that must not get lost, and
//! is left one. (So is an error that holds nothing but a `Cancelled` taken for that, whatever its name is.) The sink refuses to go on at the first such sign, which mostly comes early.
//!
//! This happens only when somebody asks whether a foreign error is a cancellation, and once for each error.

use crate::{
    core::poll_tree::stack::with_stack,
    error::{Cancelled, failure::discard, inside::Cause},
};
use std::{
    cell::Cell,
    fmt::{self, Write},
    panic::{AssertUnwindSafe, catch_unwind},
};

/// Stands for a cancellation: a character for private use, which no text has by chance.
const SIGN: char = '\u{F57A7}';
/// Stands for any other error of ours.
const OTHER: char = '!';
/// A text is read that far: types that nest deeper are no wrappers.
const LONGEST: usize = 512;

thread_local! {
    static ASKING: Cell<bool> = const { Cell::new(false) };
    static FOUND: Cell<Option<Cancelled>> = const { Cell::new(None) };
}

/// The cancellation that an error wraps, if its `Debug` shows that and nothing else.
pub(super) fn look(error: Cause<'_>) -> Option<Cancelled> {
    // `Debug` may ask about another error: that is a question of its own.
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

/// Called by the `Debug` of our own errors. If it is a question of [`look`], answers it: by what there is of a
/// cancellation, if the error is one.
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

/// Reads a text, and says whether it can be that of a wrapper.
#[derive(Default)]
struct Shape {
    read: usize,
    signs: usize,
    /// A name was read, and nothing yet that it would be the name of.
    is_name_open: bool,
}

impl Shape {
    fn is_wrapper(&self) -> bool {
        self.signs == 1 && !self.is_name_open
    }

    /// Returns whether the text can still be that of a wrapper.
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
            // In a name, as in `Step2(…)`; else it is a number.
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
