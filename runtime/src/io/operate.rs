//! An operation on a descriptor: it is tried, and waited for, until it does not block.
//!
//! Written out as a future, in two parts, because every receive, send and accept on every kind of socket is
//! one: [`Turns`] knows nothing of what is tried, so that a program has it once; [`Operate`] tries.

use super::{
    Source, StreamError,
    readiness::{Entry, heard},
};
use crate::core::{
    checkpoint::{CheckpointIfCancelled, Turn},
    reactor::{Direction, Waiting},
    run,
};
use std::{
    io,
    os::fd::AsFd,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// What comes before the next attempt.
enum Turns {
    /// Before the first one: a cancel point.
    Entering(CheckpointIfCancelled),
    /// It is due as soon as the descriptor is ready.
    Due { first: bool },
    /// The descriptor is waited for.
    Waiting(Waiting),
    /// None: the first one has succeeded, and the others have their turn.
    Leaving(Turn),
}

impl Turns {
    /// Polls until the next attempt is worth it, or there is to be none. Returns whether it is the first.
    fn poll(
        &mut self,
        entry: &Entry,
        direction: Direction,
        cx: &Context<'_>,
    ) -> Poll<Result<bool, StreamError>> {
        loop {
            match self {
                Turns::Entering(checkpoint) => {
                    ready!(run::with(|run| checkpoint.poll_in(run, cx)))?;
                    *self = Turns::Due { first: true };
                }
                Turns::Due { first } if entry.is_ready(direction) => return Poll::Ready(Ok(*first)),
                Turns::Due { .. } => match entry.begin_wait(direction, cx) {
                    Ok(begun) => {
                        *self = Turns::Waiting(begun);
                        return Poll::Pending;
                    }
                    Err(refused) => heard(refused, direction)?,
                },
                Turns::Waiting(waiting) => {
                    heard(ready!(waiting.poll(cx))?, direction)?;
                    *self = Turns::Due { first: false };
                }
                Turns::Leaving(turn) => {
                    return match run::with(|run| turn.is_over(run, cx)) {
                        true => Poll::Ready(Ok(false)),
                        false => Poll::Pending,
                    };
                }
            }
        }
    }

    /// A schedule point, and then the end.
    fn leave(&mut self, cx: &Context<'_>) {
        *self = Turns::Leaving(run::with(|run| Turn::begin(run, cx)));
    }
}

/// See [`Source::operate`].
pub(crate) struct Operate<'a, T: AsFd, R, F> {
    source: &'a Source<T>,
    direction: Direction,
    attempt: F,
    turns: Turns,
    /// What the first attempt has done, until the others have had their turn.
    done: Option<R>,
}

// Nothing in it is pinned but by its own plain fields.
impl<T: AsFd, R, F> Unpin for Operate<'_, T, R, F> {}

impl<'a, T: AsFd, R, F> Operate<'a, T, R, F> {
    pub(super) fn new(source: &'a Source<T>, direction: Direction, attempt: F) -> Self {
        let turns = Turns::Entering(CheckpointIfCancelled::default());
        Operate { source, direction, attempt, turns, done: None }
    }
}

impl<T: AsFd, R, F: FnMut(&T) -> io::Result<R>> Future for Operate<'_, T, R, F> {
    type Output = Result<R, StreamError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let entry = this.source.entry();
        loop {
            let first = ready!(this.turns.poll(entry, this.direction, cx))?;
            if let Some(done) = this.done.take() {
                return Poll::Ready(Ok(done));
            }
            let inner = this.source.get()?;
            match (this.attempt)(&inner) {
                Ok(done) if first => {
                    this.done = Some(done);
                    this.turns.leave(cx);
                    return Poll::Pending;
                }
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
