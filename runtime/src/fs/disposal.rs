//! Dropping values whose destructors may take long.

use crate::{core::run, lowlevel::spawn_system_task, to_thread};

/// Drops `thing` in a worker thread. Only the end of the run waits for this. Outside a run, or at its end, `thing`
/// is dropped at once in this thread.
pub(super) fn dispose<T: Send + 'static>(thing: T) {
    if run::try_with(|_run| ()).is_none() {
        return;
    }
    // If the task is refused or cancelled, the thing is dropped with the future.
    let _refused = spawn_system_task("close what was dropped", async move {
        let _undone = to_thread::options().name("close").run_sync(move || drop(thing)).await;
        Ok(())
    });
}
