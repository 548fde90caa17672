//! Checking whether code executes a checkpoint.

use crate::{
    core::{lowlevel::watch::Watch, poll_tree::wrap, run, run::Run},
    current_task,
};
use std::{
    rc::Rc,
    task::{Poll, ready},
};

/// Runs `inside` and panics if it has not executed a checkpoint; trio's `assert_checkpoints`.
///
/// # Panics
/// If `inside` ends and has not executed both a schedule point and a cancel point.
///
/// ```
/// use terzetto::{checkpoint, testing::assert_checkpoints};
/// terzetto::run(async {
///     assert_checkpoints(checkpoint()).await?;
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn assert_checkpoints<T>(inside: impl Future<Output = T>) -> impl Future<Output = T> {
    wrap::map(watch(inside), |(value, seen)| {
        assert!(seen.is_checkpoint(), "the code was expected to execute a checkpoint, and has not");
        value
    })
}

/// Runs `inside` and panics if it has executed a checkpoint, or a part of one; trio's `assert_no_checkpoints`.
///
/// # Panics
/// If `inside` has executed a schedule point or a cancel point.
///
/// ```
/// use terzetto::{channel, testing::assert_no_checkpoints};
/// terzetto::run(async {
///     let (sender, _receiver) = channel(1);
///     assert_no_checkpoints(async { sender.send_nowait(1) }).await?;
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn assert_no_checkpoints<T>(inside: impl Future<Output = T>) -> impl Future<Output = T> {
    wrap::map(watch(inside), |(value, seen)| {
        let what = match (seen.scheduled, seen.cancel_point) {
            (false, false) => return value,
            (true, true) => "a checkpoint",
            (true, false) => "a schedule point",
            (false, true) => "a cancel point",
        };
        panic!("the code was expected not to execute a checkpoint, and was at {what}")
    })
}

/// Which parts of a checkpoint some code has executed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// It has executed a schedule point: the run went on to another tick.
    scheduled: bool,
    /// It has executed a cancel point: the runtime checked whether the task is cancelled.
    cancel_point: bool,
}

impl Seen {
    /// Whether it has executed both.
    pub(crate) fn is_checkpoint(self) -> bool {
        self.scheduled && self.cancel_point
    }
}

/// Runs `inside`, and also returns which parts of a checkpoint it has executed.
pub(crate) fn watch<T>(inside: impl Future<Output = T>) -> impl Future<Output = (T, Seen)> {
    let mut begun = None;
    wrap::around(inside, move |inside, cx| {
        let (watching, tick) = begun.get_or_insert_with(|| {
            let watching = CheckpointWatch::begin(run::current());
            let tick = watching.run.tree.tick.get();
            (watching, tick)
        });
        let value = ready!(inside.poll(cx));
        let seen =
            Seen { scheduled: watching.run.tree.tick.get() > *tick, cancel_point: watching.watch.seen.get() };
        begun = None;
        Poll::Ready((value, seen))
    })
}

/// While such a value exists, cancel points are recorded.
struct CheckpointWatch {
    run: Rc<Run>,
    watch: Rc<Watch>,
}

impl CheckpointWatch {
    fn begin(run: Rc<Run>) -> CheckpointWatch {
        CheckpointWatch { watch: run.tree.watches.begin(current_task()), run }
    }
}

impl Drop for CheckpointWatch {
    fn drop(&mut self) {
        self.run.tree.watches.end(&self.watch);
    }
}
