//! Tasks that cannot be cancelled, since they await something that knows nothing of this runtime.
//!
//! Only the operations of this runtime look at cancellation. A task may await a foreign future without
//! [`cancellable`](crate::core::cancel::cancellable::cancellable). Such a task holds its nursery open even if it is
//! cancelled, and nobody can see why. So the runtime names it in the [tree of
//! tasks](crate::core::lowlevel::task_tree::task_tree). It also names it in the log, once, if the task outlasts its
//! cancellation by [some seconds](super::stuck_check).
//!
//! The run looks for such tasks when it is about to sleep, and only after a scope has been cancelled. So this slows
//! down nothing that runs.

use crate::core::{ids::ScopeId, run::Run, task::handle::Task};
use std::time::Duration;

/// The description of a task that awaits a foreign future.
pub(crate) const AWAITS_FOREIGN: &str = "awaiting a foreign future; cannot be cancelled";

impl Run {
    /// Seconds until the run should look for tasks that outlast their cancellation, if it should.
    pub(crate) fn patience_left(&self) -> Option<f64> {
        if !self.scopes.is_any_cancelled() {
            self.stuck_check.disarm();
        }
        self.stuck_check.left().map(|left| left.as_secs_f64())
    }

    /// Names the tasks that outlast their cancellation in the log, when the time for that has come.
    pub(crate) fn look_for_stuck_tasks(&self) {
        if self.stuck_check.left() != Some(Duration::ZERO) {
            return;
        }
        self.stuck_check.disarm();
        for task in self.tasks_that_await_foreign() {
            let scope = self.innermost_scope(&task);
            if self.scopes.is_cancelled(scope) {
                let reason = self.scopes.cell(scope).and_then(|cell| cell.reason());
                let reason = reason.map_or_else(String::new, |reason| format!(" ({reason})"));
                log::warn!(
                    "task {task} was cancelled{reason} and goes on, since it awaits a future of another library; \
                     `terzetto::cancellable` around that future lets it be cancelled"
                );
            }
        }
    }

    /// The tasks that wait for something that this runtime does not know.
    pub(crate) fn tasks_that_await_foreign(&self) -> Vec<Task> {
        let mut tasks = self.tree.all_tasks();
        tasks.retain(|task| self.awaits_foreign(task));
        tasks
    }

    /// Whether a task waits for something that this runtime does not know.
    pub(crate) fn awaits_foreign(&self, task: &Task) -> bool {
        self.tree.is_waiting(task) && !self.is_blocked(task)
    }

    /// The innermost scope of a task.
    fn innermost_scope(&self, task: &Task) -> ScopeId {
        let own = self.scopes.innermost_of(|node| self.tree.task_of(node).as_ref() == Some(task));
        own.unwrap_or_else(|| task.scope_of_start())
    }
}
