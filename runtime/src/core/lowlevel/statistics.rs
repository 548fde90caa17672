//! What a run is doing, in numbers.

use crate::core::run;

/// Numbers about the current run; trio's `current_statistics`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Statistics {
    /// Tasks that have not ended, including the main task.
    pub tasks_living: usize,
    /// Tasks that will run in the next tick.
    pub tasks_runnable: usize,
    /// Seconds until the next deadline. Infinity if there is none, negative if it is overdue.
    pub seconds_to_next_deadline: f64,
    /// Callbacks that were given to the token and have not been called yet.
    pub run_sync_soon_queue_size: usize,
    /// Tasks that wait until a descriptor can be read.
    pub tasks_waiting_read: usize,
    /// Tasks that wait until a descriptor can be written.
    pub tasks_waiting_write: usize,
}

/// Numbers about the current run.
///
/// # Panics
/// Outside a run.
///
/// ```
/// terzetto::run(async {
///     let statistics = terzetto::lowlevel::current_statistics();
///     assert_eq!((statistics.tasks_living, statistics.tasks_runnable), (1, 0));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn current_statistics() -> Statistics {
    let run = run::current();
    // Deadlines of scopes that have just been entered are not in the table yet. The caller is inside all of those
    // scopes.
    let around = run.scopes.nearest_deadline(run.scopes.current());
    let next = run.deadlines.borrow().next().unwrap_or(f64::INFINITY).min(around);
    let (tasks_waiting_read, tasks_waiting_write) = run.reactor.waiting();
    Statistics {
        tasks_living: run.tasks.get(),
        tasks_runnable: run.tree.runnable(),
        seconds_to_next_deadline: next - run.clock.now(),
        run_sync_soon_queue_size: run.calls_waiting(),
        tasks_waiting_read,
        tasks_waiting_write,
    }
}
