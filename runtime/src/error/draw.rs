//! How errors are displayed: one error in one line, several as a tree, each of them once.
//!
//! `Display` writes what failed. `Debug`, which `main` uses to print its error, writes the causes, too. A group of one
//! is written as its only error. The task that the error came from is written before it, and the group's message if
//! it adds anything. So a failure that has passed through ten nurseries is still one line.

use crate::error::{
    Error, ErrorGroup,
    group::Members,
    inside::{Cause, causes, is_mark},
    origin::TaskOrigin,
};
use std::fmt::{self, Write};

/// Errors in more nested groups than this are not indented any further.
const DEEPEST: usize = 100;
/// At most this many tasks and messages are written before an error. If there are more, the last ones are written.
const MOST_BEFORE: usize = 10;

/// What is written before an error.
enum Before<'a> {
    Task(&'a TaskOrigin),
    Message(&'a str),
}

/// An error in a group. If it is a group of one, this is the error inside it.
struct DrawnError<'a> {
    before: Vec<Before<'a>>,
    what: What<'a>,
}

enum What<'a> {
    Single(&'a Error),
    Several(&'a Members),
}

impl<'a> DrawnError<'a> {
    /// The entry for a whole group.
    fn of_group(group: &'a Members) -> DrawnError<'a> {
        DrawnError { before: Vec::new(), what: What::Several(group) }.descend()
    }

    fn of_member(origin: Option<&'a TaskOrigin>, error: &'a Error) -> DrawnError<'a> {
        let what = match error.group() {
            Some(group) => What::Several(&group.0),
            None => What::Single(error),
        };
        DrawnError { before: origin.map(Before::Task).into_iter().collect(), what }.descend()
    }

    /// Goes down through groups of one to the first error that is none.
    fn descend(mut self) -> DrawnError<'a> {
        while let What::Several(group) = self.what
            && let [error] = group.errors()
        {
            if !group.is_of_nursery() {
                self.before.push(Before::Message(group.message()));
            }
            self.before.extend(group.origin(0).map(Before::Task));
            self.what = match error.group() {
                Some(inner) => What::Several(&inner.0),
                None => What::Single(error),
            };
        }
        self
    }

    /// The members, if it is a group.
    fn members(&self) -> Option<impl Iterator<Item = (Option<&'a TaskOrigin>, &'a Error)> + use<'a>> {
        match self.what {
            What::Several(group) => Some(group.with_origins()),
            What::Single(_) => None,
        }
    }

    /// Writes the entry, for a group without its members.
    fn write(&self, to: &mut impl Write, with_causes: bool) -> fmt::Result {
        let left_out = self.before.len().saturating_sub(MOST_BEFORE);
        if left_out > 0 {
            to.write_str("…: ")?;
        }
        for before in &self.before[left_out..] {
            match before {
                Before::Task(origin) => write!(to, "task {origin}: ")?,
                Before::Message(message) => write!(to, "{message}: ")?,
            }
        }
        match self.what {
            What::Several(group) => write!(to, "{} ({} errors)", group.message(), group.errors().len()),
            What::Single(error) if with_causes => write_with_causes(error.as_std(), to),
            What::Single(error) => write!(to, "{error}"),
        }
    }
}

/// Writes a group, one error in each line.
pub(super) fn write_group(group: &Members, f: &mut impl Write, with_causes: bool) -> fmt::Result {
    let whole = DrawnError::of_group(group);
    whole.write(f, with_causes)?;
    // A list instead of recursion, since groups may nest too deep for a thread's stack.
    let mut open: Vec<_> = whole.members().into_iter().collect();
    while let Some(left) = open.last_mut() {
        let Some((origin, error)) = left.next() else {
            open.pop();
            continue;
        };
        let indent = 2 * open.len().min(DEEPEST);
        write!(f, "\n{:indent$}- ", "")?;
        let entry = DrawnError::of_member(origin, error);
        entry.write(&mut Indented { to: &mut *f, indent: indent + 2 }, with_causes)?;
        open.extend(entry.members());
    }
    Ok(())
}

/// Writes an error, and each cause below it that adds something. A cause is left out if its text is the text of the
/// error above it, or the end of that text after a colon.
pub(super) fn write_with_causes(error: Cause<'_>, to: &mut impl Write) -> fmt::Result {
    let mut above = text_of(error)?;
    to.write_str(&above)?;
    for cause in causes_told(error).skip(1) {
        let text = text_of(cause)?;
        if !says_already(&above, &text) {
            match cause.downcast_ref::<ErrorGroup>() {
                Some(group) => write!(to, "\ncaused by: {group:?}")?,
                None => write!(to, "\ncaused by: {text}")?,
            }
        }
        above = text;
    }
    Ok(())
}

/// An error and its causes, without the marks.
pub(super) fn causes_told(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    causes(error).filter(|cause| !is_mark(*cause))
}

/// The text of an error. Unlike `to_string` this does not panic if the error's `Display` fails.
fn text_of(error: Cause<'_>) -> Result<String, fmt::Error> {
    let mut text = String::new();
    write!(text, "{error}")?;
    Ok(text)
}

fn says_already(above: &str, cause: &str) -> bool {
    above.strip_suffix(cause).is_some_and(|before| before.is_empty() || before.ends_with(": "))
}

/// Indents all lines but the first.
struct Indented<'a, W> {
    to: &'a mut W,
    indent: usize,
}

impl<W: Write> Write for Indented<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut lines = text.split('\n');
        self.to.write_str(lines.next().unwrap_or_default())?;
        lines.try_for_each(|line| write!(self.to, "\n{:indent$}{line}", "", indent = self.indent))
    }
}
