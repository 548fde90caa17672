//! Looking whether code executes a checkpoint.

use crate::{
    core::{lowlevel::watch::Watch, poll_tree::wrap, run, run::Run},
    current_task,
};
use std::{
    rc::Rc,
    task::{Poll, ready},
};

/// Runs `inside` and fails if it has not executed a checkpoint; trio's `assert_checkpoints`.
///
/// # Panics
/// If `inside` ends without having been at a schedule point and a cancel point both.
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
    wrap::map(watch(inside), |(value, checked)| {
        assert!(checked, "the code was expected to execute a checkpoint, and has not");
        value
    })
}

/// Runs `inside` and fails if it has executed a checkpoint; trio's `assert_no_checkpoints`.
///
/// # Panics
/// If `inside` was at a schedule point and a cancel point both.
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
    wrap::map(watch(inside), |(value, checked)| {
        assert!(!checked, "the code was expected not to execute a checkpoint, and has");
        value
    })
}

/// Runs `inside`; says whether it was at a schedule point (the run went on to another tick) and at a
/// cancel point (the runtime looked whether the task is cancelled).
pub(crate) fn watch<T>(inside: impl Future<Output = T>) -> impl Future<Output = (T, bool)> {
    let mut begun = None;
    wrap::around(inside, move |inside, cx| {
        let (watching, tick) = begun.get_or_insert_with(|| {
            let watching = Watching::begin(run::current());
            let tick = watching.run.tree.tick.get();
            (watching, tick)
        });
        let value = ready!(inside.poll(cx));
        let was_seen = watching.run.tree.tick.get() > *tick && watching.watch.seen.get();
        begun = None;
        Poll::Ready((value, was_seen))
    })
}

/// While somebody looks, cancel points are noted.
struct Watching {
    run: Rc<Run>,
    watch: Rc<Watch>,
}

impl Watching {
    fn begin(run: Rc<Run>) -> Watching {
        Watching { watch: run.tree.watches.begin(current_task()), run }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.run.tree.watches.end(&self.watch);
    }
}
