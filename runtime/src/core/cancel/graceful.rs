//! Shutting a scope down with a grace period.
//!
//! A cancellation reaches all code in a scope. To shut a scope down is to cancel it in two steps. At first only the
//! code is cancelled that has not asked to finish its work. When the grace period has passed, which is a deadline of
//! the scope like any other, all of it is cancelled.
//!
//! So a scope sees two kinds of cancellation, and both come down the scope tree in the same way. The second kind is
//! *hidden* from the scope of code that finishes its work, and from all scopes below. A scope further down may ask to
//! be told of it, and is cancelled by it again. A shield hides both kinds.

use crate::{
    CancelReason, CancelScope, CancelSource,
    core::{
        cancel::{state::ScopeStage, tree::ScopeTree, visible::Visible},
        ids::ScopeId,
        run,
        run::Run,
        seconds::Seconds,
    },
};
use std::sync::Arc;

impl ScopeTree {
    fn visible(&self, id: ScopeId) -> Visible {
        self.nodes.borrow().get(id).map(|node| node.visible).unwrap_or_default()
    }

    /// Whether a scope is cancelled only as far as it is being shut down, so that code in it may still finish its
    /// work.
    pub(crate) fn is_only_stopped(&self, id: ScopeId) -> bool {
        self.visible(id).is_only_stopped()
    }
}

impl CancelScope {
    /// Shuts the scope down: cancels it in two steps.
    ///
    /// At once all code in it is cancelled that has not asked for anything else. Code inside
    /// [`graceful::finish`](crate::graceful::finish) goes on, until it ends or `grace` has passed. Then the scope is
    /// cancelled as by a deadline, and everything in it.
    ///
    /// Another call may shorten the grace period, and never makes it longer. [`CancelScope::cancel`] ends it. If the
    /// scope was not entered, nothing in it is under way, and it is cancelled. See [`graceful`](crate::graceful).
    ///
    /// [`cancel_called`](CancelScope::cancel_called) is true only after the second step. As after any cancellation, the
    /// scope's value is [`Some`] if the code in it has ended well, and [`None`] if it was cut short.
    ///
    /// # Cancellation
    /// Not a checkpoint.
    ///
    /// # Panics
    /// If `grace` is negative or NaN.
    ///
    /// ```
    /// use terzetto::{CancelScope, graceful::finish, nursery, sleep};
    /// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
    /// let scope = &CancelScope::new();
    /// nursery(async |n| {
    ///     n.start_soon(async {
    ///         let upload = scope.run(finish(async { sleep(3.0).await?; Ok("uploaded") })).await?;
    ///         assert_eq!(upload, Some("uploaded"));
    ///         Ok(())
    ///     });
    ///     sleep(1.0).await?;
    ///     scope.shut_down(5.0);
    ///     Ok(())
    /// }).await
    /// # }).unwrap();
    /// ```
    pub fn shut_down(&self, grace: impl Seconds) {
        let grace = grace.checked_seconds("grace");
        let task = run::try_with(|run| run.tree.current_task()).flatten();
        let text = format!("it is shut down, with {grace} s to finish");
        let reason =
            CancelReason::with_text(CancelSource::Explicit, text).by(task.map(|task| task.to_string()));
        if self.cell.stage.get() == ScopeStage::New {
            return self.cell.cancel(reason);
        }
        if self.cell.called() {
            return;
        }
        self.cell.inherit_reason(Some(Arc::new(reason)));
        self.cell.shut_down.called.set(true);
        if let Some(now) = self.cell.entered(|run, _| run.clock.now()) {
            self.set_deadline(self.cell.absolute_deadline().min(now + grace));
        }
        self.cell.entered(Run::recalculate);
    }

    /// Whether [`CancelScope::shut_down`] was called.
    pub fn shut_down_called(&self) -> bool {
        self.cell.shut_down.called.get()
    }
}

/// Whether the caller's scope, or one further out that no shield hides, is being shut down.
pub(crate) fn is_shutting_down() -> bool {
    let run = run::current();
    run.scopes.visible(run.scopes.current()).is_shut_down()
}
