//! Tasks that cannot be cancelled, since what they await knows nothing of this runtime.
//!
//! Only what this runtime made looks at cancellation. A task that awaits a future of another library plainly, without
//! [`cancellable`](crate::core::cancel::cancellable::cancellable), holds its nursery open however often it is cancelled, and nobody
//! can see why. So such a task is named: in the [tree of tasks](crate::core::lowlevel::statistics::task_tree), and once in the log
//! if it outlasts its cancellation by [some seconds](super::stuck_check).
//!
//! The run looks for such tasks when it is about to sleep, and only after a scope has been cancelled: nothing that
//! runs is slower for it.

use crate::core::{ids::ScopeId, run::Run, task::handle::Task};
use std::time::Duration;

/// What is said of a task that awaits a foreign future.
pub(crate) const AWAITS_FOREIGN: &str = "awaiting a foreign future; cannot be cancelled";

impl Run {
    /// Seconds until the run should look for tasks that outlast their cancellation, if it should.
    pub(crate) fn patience_left(&self) -> Option<f64> {
        if !self.scopes.is_any_cancelled() {
            self.stuck_check.disarm();
        }
        self.stuck_check.left().map(|left| left.as_secs_f64())
    }

    /// Names the tasks that outlast their cancellation in the log, if it is time to.
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

    /// The tasks that are blocked in nothing that this runtime knows.
    pub(crate) fn tasks_that_await_foreign(&self) -> Vec<Task> {
        let mut tasks = self.tree.all_tasks();
        tasks.retain(|task| self.awaits_foreign(task));
        tasks
    }

    /// Whether a task is blocked in nothing that this runtime knows.
    pub(crate) fn awaits_foreign(&self, task: &Task) -> bool {
        self.tree.is_waiting(task) && !self.is_blocked(task)
    }

    /// The scope that a task is in.
    fn innermost_scope(&self, task: &Task) -> ScopeId {
        let own = self.scopes.innermost_of(|node| self.tree.task_of(node).as_ref() == Some(task));
        own.unwrap_or_else(|| task.scope_of_start())
    }
}
