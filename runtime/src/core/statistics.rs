//! What a run is doing: counts, and the tree of tasks as text.

use super::{run, task::Task};
use std::fmt::Write;

/// Counts of the current run; trio's `current_statistics`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Statistics {
    /// Tasks that have not ended, the main task among them.
    pub tasks_living: usize,
    /// Tasks that will run in the next tick.
    pub tasks_runnable: usize,
    /// Seconds until the next deadline; infinity if there is none, negative if it is overdue.
    pub seconds_to_next_deadline: f64,
    /// Callbacks given to the token and not called yet.
    pub run_sync_soon_queue_size: usize,
    /// Tasks that wait until a descriptor can be read.
    pub tasks_waiting_read: usize,
    /// Tasks that wait until a descriptor can be written.
    pub tasks_waiting_write: usize,
}

/// The counts of the current run.
///
/// # Panics
/// Outside a run.
///
/// ```
/// terzetto::run(async {
///     let statistics = terzetto::current_statistics();
///     assert_eq!((statistics.tasks_living, statistics.tasks_runnable), (1, 0));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn current_statistics() -> Statistics {
    let run = run::current();
    // Those of scopes that have just been entered are not in the table yet: the caller is in all of them.
    let around = run.scopes.nearest_deadline(run.scopes.current());
    let next = run.deadlines.borrow().next().unwrap_or(f64::INFINITY).min(around);
    let (tasks_waiting_read, tasks_waiting_write) = run.reactor.waiting();
    Statistics {
        tasks_living: run.tasks.get(),
        tasks_runnable: run.strands.runnable(),
        seconds_to_next_deadline: next - run.clock.now(),
        run_sync_soon_queue_size: run.calls_waiting(),
        tasks_waiting_read,
        tasks_waiting_write,
    }
}

/// The tree of the run's tasks as text: their names, where they were started, what they are blocked
/// in, and of their scopes those that have a deadline, a shield, or were cancelled. For people who
/// look for why a program hangs.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{nursery, sleep, task_tree};
/// terzetto::run(async {
///     nursery(async |n| {
///         n.start_soon_named("sleeper", async { Ok(sleep(0.01).await?) });
///         assert!(task_tree().contains("sleeper"));
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn task_tree() -> String {
    let run = run::current();
    let mut text = String::new();
    // A stack of its own: nurseries may nest deeper than a thread's stack.
    let mut todo: Vec<(usize, Line)> =
        run.root_tasks().into_iter().rev().map(|task| (0, Line::Task(task))).collect();
    while let Some((depth, line)) = todo.pop() {
        // Writing into a string cannot fail.
        let _ = write!(text, "{:1$}", "", 2 * depth);
        match line {
            Line::Nursery(tasks) => {
                let _ = writeln!(text, "nursery");
                todo.extend(tasks.into_iter().rev().map(|task| (depth + 1, Line::Task(task))));
            }
            Line::Task(task) => {
                let _ = write!(text, "{}", task.name());
                if let Some(at) = task.spawned_at() {
                    let _ = write!(text, " (started at {}:{})", at.file(), at.line());
                }
                for what in run.blocked_in(&task) {
                    let _ = write!(text, ", {what}");
                }
                let now = run.clock.now();
                for scope in
                    run.scopes.entered_by(|strand| run.strands.task_of(strand).as_ref() == Some(&task))
                {
                    let said = scope.describe(now);
                    if !said.is_empty() {
                        let _ = write!(text, " [scope: {said}]");
                    }
                }
                text.push('\n');
                let nurseries = task.child_nurseries().into_iter().rev();
                todo.extend(nurseries.map(|tasks| (depth + 1, Line::Nursery(tasks))));
            }
        }
    }
    text
}

enum Line {
    Task(Task),
    Nursery(Vec<Task>),
}
