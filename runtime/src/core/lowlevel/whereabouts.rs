//! Where the calling code is: in a run, in a task, under which root, by which clock.

use crate::core::{
    run,
    run::{Run, clock::Clock},
    task::handle::Task,
};
use std::rc::Rc;

/// Whether the calling code is inside a run: whether functions that need the runtime work here. trio's
/// `in_trio_run`.
///
/// On the thread of a guest run's host that is so within the guest's ticks and inside
/// [`GuestRun::enter`](crate::lowlevel::GuestRun::enter).
///
/// ```
/// assert!(!terzetto::lowlevel::in_run());
/// terzetto::run(async {
///     assert!(terzetto::lowlevel::in_run());
///     assert!(!terzetto::to_thread::run_sync(terzetto::lowlevel::in_run).await?);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn in_run() -> bool {
    run::try_with(|_| ()).is_some()
}

/// Whether the calling code belongs to a task of a run: whether [`current_task`](crate::current_task) has an answer. It
/// has none in callbacks of the [`Token`](crate::lowlevel::Token), nor in hooks of
/// [instruments](crate::lowlevel::Instrument) about the run itself. trio's `in_trio_task`.
///
/// ```
/// assert!(!terzetto::lowlevel::in_task());
/// terzetto::run(async {
///     assert!(terzetto::lowlevel::in_task());
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn in_task() -> bool {
    run::try_with(|run| run.tree.current_task()).flatten().is_some()
}

/// The task above all others of the run: the parent of the main task and of the system tasks, from which the whole tree
/// can be walked. It has no parent, and does nothing. trio's `current_root_task`.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::lowlevel::{current_root_task, main_task};
/// terzetto::run(async {
///     let root = current_root_task();
///     assert_eq!(main_task().parent().as_ref(), Some(&root));
///     assert_eq!((root.parent(), root.child_nurseries()), (None, vec![vec![main_task()]]));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn current_root_task() -> Task {
    run::with(|run: &Rc<Run>| run.root_task())
}

/// The run's clock; trio's `current_clock`.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{Builder, current_time, testing::MockClock, lowlevel::current_clock};
/// Builder::new().clock(MockClock::new()).run(async {
///     assert_eq!(current_clock().now(), current_time());
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn current_clock() -> Rc<dyn Clock> {
    run::with(|run: &Rc<Run>| run.clock.clone())
}
