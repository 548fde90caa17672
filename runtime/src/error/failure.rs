//! The text by which a nursery describes a failure. It becomes the reason of the cancellation that follows.
//!
//! An error that passes through several nurseries is described in each of them, and each adds a group around it. So
//! the text is short and quick to make, however large the error is. If the text cannot be made at all, the nursery
//! must still join its tasks.

use crate::error::Error;
use std::{
    any::Any,
    fmt::{self, Write},
    mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
};

/// The first error of a group is searched for in at most this many nested groups.
const DEEPEST: usize = 100;
/// An error's text is cut after this many bytes.
const LONGEST: usize = 1024;

/// "task A failed: disk full". If the error panics when it is displayed, the text is only "task A failed".
pub(crate) fn text_of_failure(who: fmt::Arguments<'_>, error: &Error) -> String {
    match catch_unwind(AssertUnwindSafe(|| summary(error))) {
        Ok(what) => format!("{who} failed: {what}"),
        Err(payload) => {
            discard(payload);
            format!("{who} failed")
        }
    }
}

/// "task A panicked: index out of bounds". If the payload is not a text, the text is only "task A panicked".
pub(crate) fn text_of_panic(who: fmt::Arguments<'_>, payload: &(dyn Any + Send)) -> String {
    let mut beginning = Beginning::default();
    let _ = beginning.write_str(panic_text(payload).unwrap_or_default());
    match beginning.finish() {
        text if text.is_empty() => format!("{who} panicked"),
        text => format!("{who} panicked: {text}"),
    }
}

/// The message of a panic, if its payload is a text, as it usually is.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// The text of an error. For a group it is the text of the first error, and the number of the others.
fn summary(error: &Error) -> String {
    let (mut first, mut others) = (error, 0);
    for _ in 0..DEEPEST {
        let Some((member, more)) = first.group().and_then(|group| group.errors().split_first()) else {
            break;
        };
        (first, others) = (member, others + more.len());
    }
    let mut beginning = Beginning::default();
    // This fails only if the text is too long, or if the error's own `Display` fails. Then the text written so far
    // is used.
    let _ = match first.group() {
        Some(group) => beginning.write_str(group.message()),
        None => write!(beginning, "{first}"),
    };
    let text = beginning.finish();
    match others {
        0 => text,
        1 => text + " (and 1 more error)",
        _ => text + &format!(" (and {others} more errors)"),
    }
}

/// The beginning of a text. Writing more than fits fails, so that the writer can stop.
#[derive(Default)]
struct Beginning {
    text: String,
    is_full: bool,
}

impl Beginning {
    fn finish(mut self) -> String {
        if self.is_full {
            self.text.push('…');
        }
        self.text
    }
}

impl Write for Beginning {
    fn write_str(&mut self, piece: &str) -> fmt::Result {
        let room = if self.is_full { 0 } else { LONGEST - self.text.len() };
        if piece.len() <= room {
            self.text.push_str(piece);
            return Ok(());
        }
        self.is_full = true;
        let ends = piece.char_indices().map(|(start, c)| start + c.len_utf8());
        self.text.push_str(&piece[..ends.take_while(|&end| end <= room).last().unwrap_or(0)]);
        Err(fmt::Error)
    }
}

/// The first panic of several steps. All steps are executed, even if some of them panic.
#[derive(Default)]
pub(crate) struct FirstPanic(Option<Box<dyn Any + Send>>);

impl FirstPanic {
    /// Executes a step.
    pub(crate) fn catch(&mut self, step: impl FnOnce()) {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(step)) {
            match self.0 {
                None => self.0 = Some(payload),
                Some(_) => discard(payload),
            }
        }
    }

    /// Resumes the first panic, if there was one and the thread is not panicking already.
    pub(crate) fn resume(self) {
        match self.0 {
            Some(payload) if std::thread::panicking() => discard(payload),
            Some(payload) => resume_unwind(payload),
            None => {}
        }
    }
}

/// Drops the payload of a panic that is not reported. If the drop panics, the payload of that panic is leaked.
pub(crate) fn discard(payload: Box<dyn Any + Send>) {
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(again);
    }
}
