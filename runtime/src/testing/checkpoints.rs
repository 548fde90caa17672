//! Looking whether code executes a checkpoint.

use crate::{
    core::{
        run::{self, Run},
        watch::Watch,
    },
    current_task,
};
use std::{future::poll_fn, pin::pin, rc::Rc};

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
pub async fn assert_checkpoints<T>(inside: impl Future<Output = T>) -> T {
    let (value, checked) = watch(inside).await;
    assert!(checked, "the code was expected to execute a checkpoint, and has not");
    value
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
pub async fn assert_no_checkpoints<T>(inside: impl Future<Output = T>) -> T {
    let (value, checked) = watch(inside).await;
    assert!(!checked, "the code was expected not to execute a checkpoint, and has");
    value
}

/// Runs `inside`; says whether it was at a schedule point (the run went on to another tick) and at a
/// cancel point (the runtime looked whether the task is cancelled).
pub(crate) async fn watch<T>(inside: impl Future<Output = T>) -> (T, bool) {
    let watching = Watching::begin(run::current());
    let strands = &watching.run.strands;
    let tick = strands.tick.get();
    let mut inside = pin!(inside);
    let value = poll_fn(|cx| inside.as_mut().poll(cx)).await;
    (value, strands.tick.get() > tick && watching.watch.seen.get())
}

/// While somebody looks, cancel points are noted.
struct Watching {
    run: Rc<Run>,
    watch: Rc<Watch>,
}

impl Watching {
    fn begin(run: Rc<Run>) -> Watching {
        Watching { watch: run.strands.watches.begin(current_task()), run }
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.run.strands.watches.end(&self.watch);
    }
}
