//! Waits: what a blocked operation leaves with the runtime, so that it can be aborted.
//!
//! An operation that has to block registers a *wait*: the scope it blocks in, the waker to call, and
//! the operation itself with a key by which the operation knows this waiter. From then on exactly
//! one of two things happens first. Either somebody reschedules the wait, and no cancellation can
//! touch it any more: an operation that completed is never reported as cancelled. Or the scope is
//! cancelled, and the operation's abort function is called there and then: it takes the waiter out
//! of whatever queue it stands in, so that nothing is handed to a task that will not take it.
//! That is trio's `wait_task_rescheduled` with its abort function.

use crate::{
    Cancelled,
    core::{
        block::{
            operation::{Aborted, Operation},
            waiter::Waiter,
            waits::{Wait, WaitState},
        },
        cancel::stuck::AWAITS_FOREIGN,
        ids::{RunId, WaitId},
        list::Links,
        misuse::{polled_after_its_end, polled_in_another_run},
        run,
        run::Run,
        task::handle::Task,
    },
};
use std::{
    rc::Rc,
    task::{Context, Poll},
};

impl Run {
    /// What a task is blocked in; several things at once in a `join!`.
    pub(crate) fn blocked_in(&self, task: &Task) -> Vec<&'static str> {
        if self.awaits_foreign(task) {
            return vec![AWAITS_FOREIGN];
        }
        let waits = self.waits.table.borrow();
        let of_task = waits.iter().filter(|(_, wait)| self.waits_for(wait).as_ref() == Some(task));
        of_task
            .map(|(_, wait)| match &wait.state {
                WaitState::Blocked { operation, .. } => operation.describe(),
                WaitState::Aborting | WaitState::Committed => "blocked and not to be aborted",
                WaitState::Rescheduled => "about to go on",
                WaitState::Aborted(_) | WaitState::Raised => "cancelled",
            })
            .collect()
    }

    /// Whether a task has a wait.
    pub(crate) fn is_blocked(&self, task: &Task) -> bool {
        let waits = self.waits.table.borrow();
        waits.iter().any(|(_, wait)| self.waits_for(wait).as_ref() == Some(task))
    }

    /// The waits of a task that may still be aborted.
    pub(crate) fn waits_of(&self, task: &Task) -> Vec<WaitId> {
        let waits = self.waits.table.borrow();
        let blocked = waits.iter().filter(|(_, wait)| {
            matches!(wait.state, WaitState::Blocked { .. }) && self.waits_for(wait).as_ref() == Some(task)
        });
        blocked.map(|(id, _)| id).collect()
    }

    /// The task that is blocked in a wait, as far as is known.
    fn waits_for(&self, wait: &Wait) -> Option<Task> {
        self.tree.task_of(self.waits.waiters.polled_by(wait.waiter)?)
    }

    /// Wakes whom a wait wakes.
    #[inline]
    fn wake_waiter(&self, waiter: Waiter) {
        match self.waits.waiters.node(waiter) {
            Some(node) => self.wake(node),
            None => self.wake_foreign_waiter(waiter),
        }
    }

    #[cold]
    fn wake_foreign_waiter(&self, waiter: Waiter) {
        let waker = self.waits.waiters.foreign(waiter);
        waker.inspect(|waker| self.wake_foreign(waker));
    }

    /// The run is over. Futures that are left somewhere must not stand in a queue, where somebody would hand
    /// them something. Those that something foreign polls are woken: carried into another run, they panic, and do not
    /// wait for ever.
    pub(crate) fn end_all_waits(&self) {
        let (operations, waiters): (Vec<_>, Vec<_>) = {
            let waits = self.waits.table.borrow();
            let operation = |wait: &Wait| match &wait.state {
                WaitState::Blocked { operation, key } => Some((operation.clone(), *key)),
                _ => None,
            };
            waits.iter().map(|(_, wait)| (operation(wait), wait.waiter)).unzip()
        };
        for (operation, key) in operations.into_iter().flatten() {
            operation.forget(key);
        }
        for waiter in waiters {
            self.wake_waiter(waiter);
        }
    }

    /// Takes a wait out of the table and of its scope's list.
    fn remove_wait(&self, id: WaitId) {
        let mut waits = self.waits.table.borrow_mut();
        let Some(wait) = waits.remove(id) else { return };
        if let Some(scope) = wait.scope {
            self.scopes.with_waits(scope, |list| list.unlink(&mut waits, wait.links));
        }
        // With nothing borrowed: it may hold the last reference to an operation.
        drop(waits);
        self.waits.waiters.forget(wait.waiter);
    }

    /// Completes a wait. One that was aborted, or completed before, is left alone. It stays in its scope's list
    /// until its task takes notice, which is soon.
    #[inline]
    pub(crate) fn reschedule(&self, id: WaitId) -> bool {
        match self.complete(id) {
            Some((waiter, operation)) => {
                self.wake_waiter(waiter);
                drop(operation);
                true
            }
            None => false,
        }
    }

    /// Wakes whom a wait wakes, if it is still there, so that it is polled.
    pub(crate) fn wake_to_look(&self, id: WaitId) {
        let waiter = self.waits.table.borrow().get(id).map(|wait| wait.waiter);
        waiter.inspect(|&waiter| self.wake_waiter(waiter));
    }

    /// Completes several waits: all of them first, and then wakes whom they wake. What that calls may end others of them,
    /// and begin new ones in their places.
    pub(crate) fn reschedule_all(&self, ids: impl Iterator<Item = WaitId>) {
        let completed: Vec<_> = ids.filter_map(|id| self.complete(id)).collect();
        for (waiter, operation) in completed {
            self.wake_waiter(waiter);
            drop(operation);
        }
    }

    /// Marks a wait as completed; returns whom it wakes, and what was in its state.
    #[inline]
    fn complete(&self, id: WaitId) -> Option<(Waiter, WaitState)> {
        let mut waits = self.waits.table.borrow_mut();
        let wait = waits.get_mut(id)?;
        match wait.state {
            WaitState::Blocked { .. } | WaitState::Aborting | WaitState::Committed => {
                Some((wait.waiter, std::mem::replace(&mut wait.state, WaitState::Rescheduled)))
            }
            WaitState::Rescheduled | WaitState::Aborted(_) | WaitState::Raised => None,
        }
    }

    /// Tries to abort a wait for a cancellation of its scope, or Ctrl-C. Returns whether it was
    /// aborted.
    pub(crate) fn deliver(&self, id: WaitId, cancelled: &Cancelled) -> bool {
        let (operation, key) = {
            let mut waits = self.waits.table.borrow_mut();
            let Some(wait) = waits.get_mut(id) else { return false };
            match std::mem::replace(&mut wait.state, WaitState::Aborting) {
                WaitState::Blocked { operation, key } => (operation, key),
                other => {
                    wait.state = other;
                    return false;
                }
            }
        };
        // Nothing is borrowed here: the operation may touch its own queue and other waits.
        let outcome = operation.abort(key, cancelled);
        let waiter = {
            let mut waits = self.waits.table.borrow_mut();
            // It may have been completed meanwhile, or dropped, and have left its place to another wait. That one is not
            // being aborted: an abortion that began later has ended by now.
            let aborting = |wait: &&mut Wait| matches!(wait.state, WaitState::Aborting);
            let Some(wait) = waits.get_mut(id).filter(aborting) else { return false };
            if outcome == Aborted::Failed {
                wait.state = WaitState::Committed;
                return false;
            }
            wait.state = WaitState::Aborted(cancelled.clone());
            wait.waiter
        };
        self.wake_waiter(waiter);
        true
    }
}

/// Names a wait for who may outlive its run, as a lock can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    run: RunId,
    id: WaitId,
}

impl Ticket {
    /// Completes the wait, if its run is on. Returns whether it was still to be completed.
    #[inline]
    pub(crate) fn reschedule(self) -> bool {
        run::with_run(self.run, |run| run.reschedule(self.id)).unwrap_or(false)
    }

    /// Completes several waits, of one run mostly, as [`Run::reschedule_all`] does.
    pub(crate) fn reschedule_all(tickets: &[Ticket]) {
        for of_one_run in tickets.chunk_by(|one, other| one.run == other.run) {
            let ids = of_one_run.iter().map(|ticket| ticket.id);
            run::with_run(of_one_run[0].run, |run| run.reschedule_all(ids));
        }
    }
}

/// A wait held by the future that blocks. Dropping it withdraws the wait. It is of one run, and cannot be polled in
/// another.
pub(crate) struct Blocked {
    run: RunId,
    id: WaitId,
}

impl Blocked {
    /// Registers a wait in the current scope. If that is cancelled already, the abort function is
    /// called by [`Blocked::arm`], which must follow when the operation has taken note of the id.
    pub(crate) fn new(run: &Run, cx: &Context<'_>, operation: Rc<dyn Operation>, key: u32) -> Blocked {
        let scope = run.scopes.current();
        run.tree.note_cancel_point();
        let state = WaitState::Blocked { operation, key };
        let waiter = run.waits.waiters.of(run.id, run.tree.current.get(), cx.waker());
        let mut waits = run.waits.table.borrow_mut();
        let id = waits.insert(Wait { state, scope: Some(scope), links: Links::default(), waiter });
        if !run.scopes.with_waits(scope, |list| list.push(&mut waits, id)) {
            waits[id].scope = None;
        }
        Blocked { run: run.id, id }
    }

    pub(crate) fn id(&self) -> WaitId {
        self.id
    }

    /// Its name for who may outlive the run.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket { run: self.run, id: self.id }
    }

    /// Calls `f` with its run, if that is on.
    pub(crate) fn with_run<R>(&self, f: impl FnOnce(&Rc<Run>) -> R) -> Option<R> {
        run::with_run(self.run, f)
    }

    /// Delivers a cancellation, or a Ctrl-C, that was there before the wait.
    #[inline]
    pub(crate) fn arm(&self, run: &Run) {
        if run.scopes.is_any_cancelled() || run.interrupt.is_pending() {
            self.arm_now(run);
        }
    }

    #[cold]
    fn arm_now(&self, run: &Run) {
        let scope = run.waits.table.borrow()[self.id].scope;
        if let Some(cancelled) = scope.and_then(|scope| run.scopes.cancelled(scope)) {
            run.deliver(self.id, &cancelled);
        }
        if run.interrupt.is_pending() {
            run.interrupt_at(self.id);
        }
    }

    /// Whether the wait was completed (`Ok`) or aborted (`Err`). If neither, it belongs from now on to the task and
    /// the scope in which it was polled last.
    ///
    /// # Panics
    /// In another run than its own.
    pub(crate) fn poll(&self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), Cancelled>> {
        if run.id != self.run {
            polled_in_another_run();
        }
        let mut waits = run.waits.table.borrow_mut();
        let wait = &mut waits[self.id];
        match &wait.state {
            WaitState::Rescheduled => Poll::Ready(Ok(())),
            WaitState::Aborted(_) => match std::mem::replace(&mut wait.state, WaitState::Raised) {
                WaitState::Aborted(cancelled) => Poll::Ready(Err(cancelled)),
                _ => polled_after_its_end(),
            },
            WaitState::Raised => polled_after_its_end(),
            WaitState::Blocked { .. } | WaitState::Aborting | WaitState::Committed => {
                let (waiter, scope) = (wait.waiter, wait.scope);
                drop(waits);
                if !run.waits.waiters.is(run.id, waiter, cx.waker()) {
                    self.move_to_waker(run, cx);
                }
                if scope != Some(run.scopes.current()) {
                    self.move_to_current_scope(run);
                }
                Poll::Pending
            }
        }
    }

    #[cold]
    fn move_to_waker(&self, run: &Run, cx: &Context<'_>) {
        // Foreign code may be called, to clone and to drop wakers: nothing is borrowed.
        let waiter = run.waits.waiters.of(run.id, run.tree.current.get(), cx.waker());
        let former = std::mem::replace(&mut run.waits.table.borrow_mut()[self.id].waiter, waiter);
        run.waits.waiters.forget(former);
    }

    /// A future that began in one scope and is polled in another is blocked in that one from now on. If it is
    /// cancelled, the wait is, too.
    #[cold]
    fn move_to_current_scope(&self, run: &Run) {
        let scope = run.scopes.current();
        {
            let mut waits = run.waits.table.borrow_mut();
            let wait = &mut waits[self.id];
            let (former, links) = (wait.scope.take(), std::mem::take(&mut wait.links));
            if let Some(former) = former {
                run.scopes.with_waits(former, |list| list.unlink(&mut waits, links));
            }
            if run.scopes.with_waits(scope, |list| list.push(&mut waits, self.id)) {
                waits[self.id].scope = Some(scope);
            }
        }
        self.arm(run);
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // With its run a wait has ended.
        self.with_run(|run| run.remove_wait(self.id));
    }
}
