//! Looks into a user's own error, for its causes and for a cancellation among them.
//!
//! Errors give access to the error that they wrap in several ways. Most return it by `source`. A *transparent* error
//! (as `anyhow`, `eyre` and `#[error(transparent)]` make them) returns the source of the wrapped error, and never the
//! wrapped error itself. So the errors of this crate end their chain with a mark, which is found even then. The
//! `source` of an `io::Error` skips the error that it holds. A hand-written enum often has no source at all. Then its
//! `Debug` text is used, see [`opaque`].

use crate::error::{
    Cancelled, ErrorGroup,
    cancelled::Mark,
    group::{Content, Members},
    opaque,
};
use std::{error::Error as StdError, io, iter};

/// An error of any kind, as `source` returns it.
pub(super) type Cause<'a> = &'a (dyn StdError + 'static);

/// What is inside a user's own error, as far as scopes are concerned.
pub(super) enum Inside {
    /// Nothing that a scope would take.
    Nothing,
    /// This cancellation, and nothing else.
    Cancelled(Cancelled),
    /// A group with both cancellations and failures.
    MixedGroup,
}

/// An error and its causes, including those that `source` does not return.
pub(super) fn causes(error: Cause<'_>) -> impl Iterator<Item = Cause<'_>> {
    iter::successors(Some(error), |error| cause_of(*error))
}

fn cause_of(error: Cause<'_>) -> Option<Cause<'_>> {
    // `io::Error::source` skips the error that the `io::Error` holds.
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

/// The group that an error is, or that is among its causes.
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
                // A group with only cancellations is a cancellation.
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

/// Whether a Ctrl-C is inside an error, even beside other errors.
pub(super) fn is_interrupted(error: Cause<'_>) -> bool {
    all_inside(error).filter_map(cancelled).any(|cancelled| cancelled.is_interrupt())
}

/// Whether an error is only a mark at the end of a chain, which adds no information.
pub(super) fn is_mark(error: Cause<'_>) -> bool {
    error.is::<Mark>() || error.is::<Members>()
}
