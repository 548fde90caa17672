//! An operation on a descriptor: it is tried again and again until it does not block, with a wait before each
//! further try.
//!
//! This is written by hand as a future, because every receive, send and accept on every kind of socket uses it. It
//! has two parts. [`Turns`] does not depend on the attempted operation, so that a program contains its code only
//! once. [`Operate`] makes the attempts.

use crate::{
    core::{
        block::{descriptor_wait::DescriptorWait, reactor::Direction},
        cancel::checkpoint::{CheckpointIfCancelled, Turn},
        run,
    },
    io::{
        Source, StreamError,
        readiness::{SourceEntry, heard},
    },
};
use std::{
    io,
    os::fd::AsFd,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// The step before the next attempt.
enum Turns {
    /// A cancel point.
    Entering(CheckpointIfCancelled),
    /// Other tasks have their turn. This comes before an attempt that may succeed at once, and not after it. If it came
    /// after, dropping the future in between would lose the result of the attempt.
    Yielding(Turn),
    /// The attempt is made as soon as the descriptor is ready.
    Due,
    /// The operation waits for the descriptor.
    Waiting(DescriptorWait),
}

impl Turns {
    /// Polls until another attempt may succeed.
    fn poll(
        &mut self,
        entry: &SourceEntry,
        direction: Direction,
        cx: &Context<'_>,
    ) -> Poll<Result<(), StreamError>> {
        loop {
            match self {
                Turns::Entering(checkpoint) => {
                    ready!(run::with(|run| checkpoint.poll_in(run, cx)))?;
                    let turn = match entry.is_ready(direction) {
                        true => run::with(|run| Turn::after_success(run, cx)),
                        false => None,
                    };
                    *self = turn.map_or(Turns::Due, Turns::Yielding);
                }
                Turns::Yielding(turn) => match run::with(|run| turn.is_over(run, cx)) {
                    true => *self = Turns::Due,
                    false => return Poll::Pending,
                },
                Turns::Due if entry.is_ready(direction) => return Poll::Ready(Ok(())),
                Turns::Due => match entry.begin_wait(direction, cx) {
                    Ok(begun) => {
                        *self = Turns::Waiting(begun);
                        return Poll::Pending;
                    }
                    Err(refused) => heard(refused, direction)?,
                },
                Turns::Waiting(waiting) => {
                    heard(ready!(waiting.poll(cx))?, direction)?;
                    *self = Turns::Due;
                }
            }
        }
    }
}

/// See [`Source::operate`].
pub(crate) struct Operate<'a, T: AsFd, F> {
    source: &'a Source<T>,
    direction: Direction,
    attempt: F,
    turns: Turns,
}

// No field is structurally pinned, so this can always be moved.
impl<T: AsFd, F> Unpin for Operate<'_, T, F> {}

impl<'a, T: AsFd, F> Operate<'a, T, F> {
    pub(super) fn new(source: &'a Source<T>, direction: Direction, attempt: F) -> Self {
        let turns = Turns::Entering(CheckpointIfCancelled::default());
        Operate { source, direction, attempt, turns }
    }
}

impl<T: AsFd, R, F: FnMut(&T) -> io::Result<R>> Future for Operate<'_, T, F> {
    type Output = Result<R, StreamError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let entry = this.source.entry();
        loop {
            ready!(this.turns.poll(entry, this.direction, cx))?;
            let inner = this.source.get()?;
            match (this.attempt)(&inner) {
                Ok(done) => return Poll::Ready(Ok(done)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    entry.found_blocked(this.direction)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(StreamError::Io(error))),
            }
        }
    }
}
