//! One run of a program that is being proved: with a mock clock that jumps, and with an end in any case.

use crate::{Builder, Cancelled, Error, error::failure::text_of_panic, sleep, testing::MockClock};
use std::{
    any::Any,
    cell::Cell,
    fmt,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll},
};

/// A program that has not ended after so many seconds of its own clock hangs.
const FOR_EVER: f64 = 1e9;

/// Why a run counts as failed.
pub(super) enum TrialFailure {
    Returned(Error),
    Panicked(Box<dyn Any + Send>),
    /// All tasks were blocked, and nothing would ever wake one of them.
    Hangs,
}

impl fmt::Display for TrialFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TrialFailure::Returned(error) => write!(f, "it returned an error: {error}"),
            TrialFailure::Panicked(payload) => f.write_str(&text_of_panic(format_args!("it"), &**payload)),
            TrialFailure::Hangs => f.write_str("it never ended: all of its tasks were blocked"),
        }
    }
}

/// Runs a program to its end. If `drop_now` is set while it runs, drops it there.
pub(super) fn run_trial(
    builder: Builder,
    program: impl Future<Output = Result<(), Error>>,
    drop_now: &Cell<bool>,
) -> Result<(), TrialFailure> {
    let main = async {
        let mut hangs = Box::pin(sleep(FOR_EVER));
        // It begins before anything of the program, so it adds no cancel point there.
        poll_fn(|cx| Poll::Ready(hangs.as_mut().poll(cx).is_pending())).await;
        Ok(Droppable { program: Some(Box::pin(program)), hangs, drop_now }.await)
    };
    let builder = builder.clock(MockClock::autojump());
    #[cfg(feature = "signal")]
    let builder = builder.ctrl_c(false);
    match catch_unwind(AssertUnwindSafe(|| builder.run(main))) {
        Ok(Ok(ended)) => ended,
        Ok(Err(error)) => Err(TrialFailure::Returned(error)),
        Err(payload) => Err(TrialFailure::Panicked(payload)),
    }
}

/// Calls the check after a run. In the error is what it has panicked with.
pub(super) fn checked(check: &dyn Fn()) -> Result<(), String> {
    let checked = catch_unwind(AssertUnwindSafe(check));
    checked.map_err(|payload| text_of_panic(format_args!("the check after it"), &*payload))
}

/// The future of the program, which may be dropped half-way.
struct Droppable<'a, F, H> {
    program: Option<Pin<Box<F>>>,
    /// Ends when nothing else has happened for ever. A shield does not stop it, since the program is dropped then.
    hangs: Pin<Box<H>>,
    drop_now: &'a Cell<bool>,
}

impl<F, H> Future for Droppable<'_, F, H>
where
    F: Future<Output = Result<(), Error>>,
    H: Future<Output = Result<(), Cancelled>>,
{
    type Output = Result<(), TrialFailure>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(program) = &mut self.program else { return Poll::Ready(Ok(())) };
        if let Poll::Ready(outcome) = program.as_mut().poll(cx) {
            return Poll::Ready(outcome.map_err(TrialFailure::Returned));
        }
        if self.drop_now.get() {
            self.program = None;
            return Poll::Ready(Ok(()));
        }
        if self.hangs.as_mut().poll(cx).is_ready() {
            self.program = None;
            return Poll::Ready(Err(TrialFailure::Hangs));
        }
        Poll::Pending
    }
}
