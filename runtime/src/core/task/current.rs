//! Tasks of the current run: the current task, the main task, and the nurseries that a task has open.

use crate::core::{run, run::Run, task::handle::Task};
use std::rc::Rc;
impl Task {
    /// The nurseries that the task has open, outermost first. For each nursery: the tasks started in it.
    pub fn child_nurseries(&self) -> Vec<Vec<Task>> {
        let look = |run: &Rc<Run>| {
            if *self == run.root_task() {
                return vec![run.root_tasks()];
            }
            let nurseries = run.tree.nurseries_of(self);
            nurseries.iter().map(|nursery| run.tree.tasks_in(nursery)).collect()
        };
        self.is_alive().then(|| run::try_with(look)).flatten().unwrap_or_default()
    }
}

/// The current task: the one that calls this. trio's `current_task`.
///
/// # Panics
/// Outside a run. Inside a run but outside any of its tasks, such as in a callback of the token.
pub fn current_task() -> Task {
    match run::current().tree.current_task() {
        Some(task) => task,
        None => panic!("`current_task` was called on the run loop, outside any task"),
    }
}

/// The main task of the run.
///
/// # Panics
/// Outside a run.
pub fn main_task() -> Task {
    run::current().main_task()
}
