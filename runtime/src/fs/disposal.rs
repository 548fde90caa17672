//! Dropping what takes its time to be dropped.

use crate::{core::run, lowlevel::spawn_system_task, to_thread};

/// Drops `thing` in a worker thread, of which nobody waits but the end of the run. Outside a run, or at
/// its end, it is dropped here and now.
pub(super) fn dispose<T: Send + 'static>(thing: T) {
    if run::try_with(|_run| ()).is_none() {
        return;
    }
    // Wherever this is refused or cancelled, the thing goes with the future.
    let _refused = spawn_system_task("close what was dropped", async move {
        let _undone = to_thread::options().name("close").run_sync(move || drop(thing)).await;
        Ok(())
    });
}
