//! What is inside an error of a user's own: its causes, and the cancellation among them.
//!
//! Errors hide what they wrap in several ways. Most tell it by `source`. One that is *transparent* (as `anyhow`, `eyre` and
//! `#[error(transparent)]` make them) passes on the source of what it wraps, and never shows the wrapped error itself: so our
//! own errors end their chain with a mark that is found in any case. An `io::Error` skips the very error that it holds. And
//! an enum written by hand often tells no source at all: then its `Debug` text is asked, see [`opaque`].

use crate::error::{
    Cancelled, ErrorGroup,
    cancelled::Mark,
    group::{Content, Members},
    opaque,
};
use std::{error::Error as StdError, io, iter};

/// An error of any kind, as its causes are told.
pub(super) type Cause<'a> = &'a (dyn StdError + 'static);

/// What a user's own error has inside, as far as scopes are concerned.
pub(super) enum Inside {
    /// Nothing that a scope would take.
    Nothing,
    /// It carries this cancellation, and nothing else.
    Cancelled(Cancelled),
    /// A group with both cancellations and failures.
    MixedGroup,
}

/// An error and its causes, also those that `source` does not tell.
pub(super) fn causes(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    iter::successors(Some(error), |error| cause_of(*error))
}

fn cause_of(error: Cause<'_>) -> Option<Cause<'_>> {
    // `io::Error::source` skips the very error that it holds.
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

/// An error, its causes, the members of each group among them, their causes, and so on.
pub(super) fn all_inside(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    let mut todo = vec![error];
    iter::from_fn(move || {
        let error = todo.pop()?;
        match members(error) {
            Some(group) => {
                todo.extend(group.errors().iter().rev().map(|error| -> Cause<'_> { error.as_std() }))
            }
            None => todo.extend(cause_of(error)),
        }
        Some(error)
    })
}

fn members(error: Cause<'_>) -> Option<&Members> {
    error.downcast_ref::<ErrorGroup>().map(|group| &group.0).or_else(|| error.downcast_ref())
}

/// The group that an error is or comes from.
pub(super) fn group_in(error: Cause<'_>) -> Option<&Members> {
    causes(error).find_map(members)
}

/// Looks for cancellations in an error.
pub(super) fn look(error: Cause<'_>) -> Inside {
    let mut last = error;
    for error in causes(error) {
        if let Some(found) = cancelled(error) {
            return Inside::Cancelled(found);
        }
        if let Some(group) = members(error) {
            return match group.content() {
                Content::Clean => Inside::Nothing,
                Content::Mixed => Inside::MixedGroup,
                // A group of nothing but cancellations is one.
                Content::Cancelled => {
                    group.cancelled().map_or(Inside::Nothing, |c| Inside::Cancelled(c.clone()))
                }
            };
        }
        last = error;
    }
    opaque::look(last).map_or(Inside::Nothing, Inside::Cancelled)
}

fn cancelled(error: Cause<'_>) -> Option<Cancelled> {
    let from_mark = || error.downcast_ref::<Mark>().map(Mark::cancelled);
    error.downcast_ref::<Cancelled>().cloned().or_else(from_mark)
}

/// Whether an error has a Ctrl-C inside, beside whatever else.
pub(super) fn is_interrupted(error: Cause<'_>) -> bool {
    all_inside(error).filter_map(cancelled).any(|cancelled| cancelled.is_interrupt())
}

/// Whether an error is only a mark at the end of a chain, which has nothing to tell.
pub(super) fn is_mark(error: Cause<'_>) -> bool {
    error.is::<Mark>() || error.is::<Members>()
}
