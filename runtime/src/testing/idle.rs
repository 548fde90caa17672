//! Waiting until all other tasks are blocked.

use crate::{
    Cancelled,
    core::{
        block::wait::Blocked,
        cancel::deadline_table::{DeadlineKey, Expiry},
        run,
        run::Run,
        seconds::Seconds,
    },
};
use std::{future::poll_fn, rc::Rc, task::Poll};

/// Waits until no other task has run for `cushion` (real seconds); trio's `wait_all_tasks_blocked`.
///
/// Tasks that wait for a time, for another thread or for the network count as blocked. If several tasks call this
/// function, those with the smallest cushion are woken first. Tasks with equal cushions are woken together.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// [`Cancelled`] in a cancelled scope.
///
/// # Panics
/// If `cushion` is negative or NaN; outside a run.
///
/// ```
/// use terzetto::{nursery, sync::Event, testing::wait_all_tasks_blocked};
/// terzetto::run(async {
///     let event = Event::new();
///     nursery(async |n| {
///         n.start_soon(async { Ok(event.wait().await?) });
///         wait_all_tasks_blocked(0.0).await?;
///         assert_eq!(event.tasks_waiting(), 1);
///         event.set();
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn wait_all_tasks_blocked(cushion: impl Seconds) -> Result<(), Cancelled> {
    let cushion = cushion.checked_seconds("cushion");
    let run = run::current();
    let mut waiting: Option<(IdleEntry, Blocked)> = None;
    poll_fn(|cx| {
        if let Some((_, blocked)) = &waiting {
            return blocked.poll(&run, cx);
        }
        let blocked = Blocked::new(&run, cx, run.operations.idle.clone(), 0);
        let key = run.idlers.borrow_mut().add(cushion, Expiry::Wake(blocked.id()));
        blocked.arm(&run);
        waiting = Some((IdleEntry(run.clone(), key), blocked));
        Poll::Pending
    })
    .await
}

/// An entry in the table of the tasks that wait for idleness. It is removed when the wait ends or is dropped.
struct IdleEntry(Rc<Run>, DeadlineKey);

impl Drop for IdleEntry {
    fn drop(&mut self) {
        self.0.idlers.borrow_mut().remove(self.1);
    }
}
