//! Waits: what a blocked operation leaves with the run, so that it can be aborted.
//!
//! An operation that has to block registers a *wait*. The wait has the scope in which the task blocks, the waiter to
//! wake, and the operation, with a key that names this wait in the operation. Then one of two things happens first.
//!
//! - Somebody reschedules the wait. From then on no cancellation can touch it, so an operation that has completed is
//!   not reported as cancelled. (A [sleep](crate::sleep) asks its scope again, since it has nothing to lose.)
//! - The scope is cancelled. The operation's abort function is called at once. It takes the task out of the
//!   operation's queue, so nothing is handed to a task that will not take it. It may also refuse. Then the wait goes
//!   on.
//!
//! trio does the same with `wait_task_rescheduled` and its abort function.

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
    /// Says what a task is blocked in. A task in a `join!` may be blocked in several things.
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

    /// The task that is blocked in a wait, if that is known.
    fn waits_for(&self, wait: &Wait) -> Option<Task> {
        self.tree.task_of(self.waits.waiters.polled_by(wait.waiter)?)
    }

    /// Tells instruments that the current task begins a wait.
    #[cold]
    fn tell_of_wait(&self, operation: &dyn Operation) {
        if let Some(task) = self.tree.current_task() {
            self.instruments.tell(|instrument| instrument.task_blocked(&task, operation.describe()));
        }
    }

    /// Tells instruments that a cancellation has reached a wait that may still be aborted.
    #[cold]
    fn tell_of_cancellation(&self, id: WaitId, cancelled: &Cancelled) {
        let task = {
            let waits = self.waits.table.borrow();
            let wait = waits.get(id).filter(|wait| matches!(wait.state, WaitState::Blocked { .. }));
            wait.and_then(|wait| self.waits_for(wait))
        };
        if let Some(task) = task {
            self.instruments.tell(|instrument| instrument.task_cancelled(&task, cancelled.reason()));
        }
    }

    /// Wakes a waiter.
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

    /// Ends all waits, since the run is over. A future that is left somewhere must not stay in a queue, where
    /// somebody would hand it something. All waiters are woken, for the sake of the foreign ones: if such a future
    /// was carried into another run, it is polled there and panics, and does not wait for ever.
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
            operation.withdraw(key);
        }
        for waiter in waiters {
            self.wake_waiter(waiter);
        }
    }

    /// Removes a wait from the table and from its scope's list.
    fn remove_wait(&self, id: WaitId) {
        let mut waits = self.waits.table.borrow_mut();
        let Some(wait) = waits.remove(id) else { return };
        if let Some(scope) = wait.scope {
            self.scopes.with_waits(scope, |list| list.unlink(&mut waits, wait.links));
        }
        // The wait may hold the last reference to an operation, so nothing is borrowed when it is dropped.
        drop(waits);
        self.waits.waiters.release(wait.waiter);
    }

    /// Completes a wait. Does nothing to a wait that was aborted or completed before. The wait stays in its scope's
    /// list until its task polls it, which is soon. Returns whether this call has completed it.
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

    /// Wakes the waiter of a wait that is still there, so that its future is polled.
    pub(crate) fn wake_to_look(&self, id: WaitId) {
        let waiter = self.waits.table.borrow().get(id).map(|wait| wait.waiter);
        waiter.inspect(|&waiter| self.wake_waiter(waiter));
    }

    /// Completes several waits. First it completes all of them, then it wakes their waiters. That order matters: a
    /// waker may end some of these waits, and begin new ones that get the same numbers.
    pub(crate) fn reschedule_all(&self, ids: impl Iterator<Item = WaitId>) {
        let completed: Vec<_> = ids.filter_map(|id| self.complete(id)).collect();
        for (waiter, operation) in completed {
            self.wake_waiter(waiter);
            drop(operation);
        }
    }

    /// Marks a wait as completed. Returns its waiter and its former state.
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

    /// Tries to abort a wait, because of a cancellation of its scope or a Ctrl-C. Returns whether it was aborted.
    pub(crate) fn deliver(&self, id: WaitId, cancelled: &Cancelled) -> bool {
        if self.instruments.are_there() {
            self.tell_of_cancellation(id, cancelled);
        }
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
        // Nothing is borrowed here, since the operation may touch its own queue and other waits.
        let outcome = operation.abort(key, cancelled);
        let waiter = {
            let mut waits = self.waits.table.borrow_mut();
            // The wait may have been completed meanwhile. Or it was dropped, and another wait has its number. That
            // other wait is not in the state `Aborting`: an abort of it would have begun later, and would have ended
            // by now.
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

/// The name of a wait for an owner that may outlive the run, such as a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    run: RunId,
    id: WaitId,
}

impl Ticket {
    /// Completes the wait, if its run has not ended. Returns whether this call has completed it.
    #[inline]
    pub(crate) fn reschedule(self) -> bool {
        run::with_run(self.run, |run| run.reschedule(self.id)).unwrap_or(false)
    }

    /// Completes several waits, mostly of one run, as [`Run::reschedule_all`] does.
    pub(crate) fn reschedule_all(tickets: &[Ticket]) {
        for of_one_run in tickets.chunk_by(|one, other| one.run == other.run) {
            let ids = of_one_run.iter().map(|ticket| ticket.id);
            run::with_run(of_one_run[0].run, |run| run.reschedule_all(ids));
        }
    }
}

/// A wait as the blocked future holds it. Dropping it withdraws the wait. It belongs to one run, and cannot be polled
/// in another.
pub(crate) struct Blocked {
    run: RunId,
    id: WaitId,
}

impl Blocked {
    /// Registers a wait in the current scope. The caller must note the wait's number in its operation, and then call
    /// [`Blocked::arm`]. That calls the abort function if the scope was cancelled before.
    pub(crate) fn new(run: &Run, cx: &Context<'_>, operation: Rc<dyn Operation>, key: u32) -> Blocked {
        let scope = run.scopes.current();
        run.tree.note_cancel_point();
        if run.instruments.are_there() {
            run.tell_of_wait(&*operation);
        }
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

    /// The name of the wait for an owner that may outlive the run.
    pub(crate) fn ticket(&self) -> Ticket {
        Ticket { run: self.run, id: self.id }
    }

    /// Calls `f` with the wait's run, if that has not ended.
    pub(crate) fn with_run<R>(&self, f: impl FnOnce(&Rc<Run>) -> R) -> Option<R> {
        run::with_run(self.run, f)
    }

    /// Delivers a cancellation or a Ctrl-C that came before the wait began.
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
    /// the scope in which it is being polled.
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
        // Cloning and dropping a waker may call foreign code, so nothing is borrowed.
        let waiter = run.waits.waiters.of(run.id, run.tree.current.get(), cx.waker());
        let former = std::mem::replace(&mut run.waits.table.borrow_mut()[self.id].waiter, waiter);
        run.waits.waiters.release(former);
    }

    /// Moves the wait to the current scope, since its future began in one scope and is now polled in another. If the
    /// new scope is cancelled, the wait is aborted.
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
        // If the run has ended, the wait has ended with it.
        self.with_run(|run| run.remove_wait(self.id));
    }
}
