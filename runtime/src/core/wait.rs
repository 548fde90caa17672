//! Waits: what a blocked operation leaves with the runtime, so that it can be aborted.
//!
//! An operation that has to block registers a *wait*: the scope it blocks in, the waker to call, and
//! the operation itself with a key by which the operation knows this waiter. From then on exactly
//! one of two things happens first. Either somebody reschedules the wait, and no cancellation can
//! touch it any more: an operation that completed is never reported as cancelled. Or the scope is
//! cancelled, and the operation's abort function is called there and then: it takes the waiter out
//! of whatever queue it stands in, so that nothing is handed to a task that will not take it.
//! That is trio's `wait_task_rescheduled` with its abort function.

use super::{
    list::{Linked, Links, List},
    run::{self, Run},
    scope::ScopeId,
    table::{Key, Table},
    task::Task,
    waiter::{Waiter, Waiters},
    waker::RunId,
};
use crate::Cancelled;
use std::{
    cell::{RefCell, RefMut},
    rc::Rc,
    task::{Context, Poll},
};

/// The number of a wait within its run.
pub(crate) type WaitId = Key;

/// What an abort function answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Abort {
    /// The waiter was taken out: the task gets `Cancelled`.
    Succeeded,
    /// The operation cannot be aborted: the task stays blocked until it completes.
    Failed,
}

/// An operation in which tasks block.
pub(crate) trait Operation {
    /// Takes the waiter `key` out of the operation, for this cancellation.
    fn abort(&self, key: u32, cancelled: &Cancelled) -> Abort;

    /// What the waiter is doing, for people who look.
    fn describe(&self) -> &'static str;
}

/// An operation with nothing to undo, or nothing that can be undone.
pub(crate) struct Plain {
    what: &'static str,
    abort: Abort,
}

impl Operation for Plain {
    fn abort(&self, _key: u32, _cancelled: &Cancelled) -> Abort {
        self.abort
    }

    fn describe(&self) -> &'static str {
        self.what
    }
}

/// The plain operations, each shared by all who block in it.
pub(crate) struct Operations {
    pub(crate) sleep: Rc<Plain>,
    pub(crate) idle: Rc<Plain>,
    pub(crate) foreign: Rc<Plain>,
    pub(crate) start: Rc<Plain>,
}

impl Operations {
    pub(crate) fn new() -> Operations {
        let plain = |what, abort| Rc::new(Plain { what, abort });
        Operations {
            sleep: plain("sleeping", Abort::Succeeded),
            idle: plain("waiting until all tasks are blocked", Abort::Succeeded),
            foreign: plain("waiting for a foreign future", Abort::Succeeded),
            start: plain("waiting for a task to be started", Abort::Failed),
        }
    }
}

enum State {
    /// May still be aborted.
    Blocked {
        operation: Rc<dyn Operation>,
        key: u32,
    },
    /// Abort was tried in vain: it is tried once only.
    Committed,
    Rescheduled,
    Aborted(Cancelled),
    /// Was aborted, and its task has taken notice.
    Raised,
}

struct Wait {
    state: State,
    /// The scope in whose list it stands; none once that scope is gone.
    scope: Option<ScopeId>,
    links: Links,
    waiter: Waiter,
}

impl Linked for Wait {
    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// All waits of a run.
#[derive(Default)]
pub(crate) struct Waits {
    waits: RefCell<Table<Wait>>,
    waiters: Waiters,
}

impl Waits {
    /// Calls `f` with each wait of a scope's list.
    pub(super) fn each_in(&self, list: List, f: impl FnMut(WaitId)) {
        list.iter(&self.waits.borrow()).for_each(f);
    }

    /// The scope of these waits is gone: futures moved between tasks can outlive the scope they were polled in.
    #[cold]
    pub(super) fn outlive_scope(&self, list: List) {
        let mut waits = self.waits.borrow_mut();
        let left: Vec<WaitId> = list.iter(&waits).collect();
        for wait in left {
            waits[wait].scope = None;
        }
    }

    /// Takes a wait out of the table and of its scope's list.
    fn remove(&self, run: &Run, id: WaitId) {
        let mut waits = self.waits.borrow_mut();
        let Some(wait) = waits.remove(id) else { return };
        if let Some(scope) = wait.scope {
            run.scopes.with_waits(scope, |list| list.unlink(&mut waits, wait.links));
        }
        // With nothing borrowed: it may hold the last reference to an operation.
        drop(waits);
        self.waiters.forget(wait.waiter);
    }
}

impl Run {
    /// What a task is blocked in; several things at once in a `join!`.
    pub(crate) fn blocked_in(&self, task: &Task) -> Vec<&'static str> {
        let waits = self.waits.waits.borrow();
        let of_task = waits.iter().filter(|(_, wait)| self.waits_for(wait).as_ref() == Some(task));
        of_task
            .map(|(_, wait)| match &wait.state {
                State::Blocked { operation, .. } => operation.describe(),
                State::Committed => "blocked and not to be aborted",
                State::Rescheduled => "about to go on",
                State::Aborted(_) | State::Raised => "cancelled",
            })
            .collect()
    }

    /// The waits of a task that may still be aborted.
    pub(crate) fn waits_of(&self, task: &Task) -> Vec<WaitId> {
        let waits = self.waits.waits.borrow();
        let blocked = waits.iter().filter(|(_, wait)| {
            matches!(wait.state, State::Blocked { .. }) && self.waits_for(wait).as_ref() == Some(task)
        });
        blocked.map(|(id, _)| id).collect()
    }

    /// The task that is blocked in a wait, as far as is known.
    fn waits_for(&self, wait: &Wait) -> Option<Task> {
        self.strands.task_of(self.waits.waiters.strand(wait.waiter)?)
    }

    /// Completes a wait. One that was aborted, or completed before, is left alone. It stays in its scope's list
    /// until its task takes notice, which is soon.
    pub(crate) fn reschedule(&self, id: WaitId) -> bool {
        let mut waits = self.waits.waits.borrow_mut();
        let Some(wait) = waits.get_mut(id) else { return false };
        if !matches!(wait.state, State::Blocked { .. } | State::Committed) {
            return false;
        }
        let operation = std::mem::replace(&mut wait.state, State::Rescheduled);
        self.wake_waiter(waits, id);
        drop(operation);
        true
    }

    fn wake_waiter(&self, waits: RefMut<'_, Table<Wait>>, id: WaitId) {
        let waiter = waits[id].waiter;
        drop(waits);
        self.waits.waiters.wake(self, waiter);
    }

    /// Tries to abort a wait for a cancellation of its scope, or Ctrl-C. Returns whether it was
    /// aborted.
    pub(crate) fn deliver(&self, id: WaitId, cancelled: &Cancelled) -> bool {
        let (operation, key) = {
            let mut waits = self.waits.waits.borrow_mut();
            let Some(wait) = waits.get_mut(id) else { return false };
            match std::mem::replace(&mut wait.state, State::Committed) {
                State::Blocked { operation, key } => (operation, key),
                other => {
                    wait.state = other;
                    return false;
                }
            }
        };
        // Nothing is borrowed here: the operation may touch its own queue and other waits.
        if operation.abort(key, cancelled) == Abort::Failed {
            return false;
        }
        let mut waits = self.waits.waits.borrow_mut();
        let Some(wait) = waits.get_mut(id) else { return false };
        wait.state = State::Aborted(cancelled.clone());
        self.wake_waiter(waits, id);
        true
    }
}

/// For futures of ours that are polled once more than there is an answer.
#[cold]
pub(crate) fn polled_after_its_end() -> ! {
    panic!("a future of terzetto was polled after it had completed")
}

/// Names a wait for who may outlive its run, as a lock can.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ticket {
    run: RunId,
    id: WaitId,
}

impl Ticket {
    /// Completes the wait, if its run is the current one. Returns whether it was still to be completed.
    #[inline]
    pub(crate) fn reschedule(self) -> bool {
        run::try_with(|run| run.id == self.run && run.reschedule(self.id)).unwrap_or(false)
    }
}

/// A wait held by the future that blocks. Dropping it withdraws the wait. It is of one run: with any other it
/// stays blocked.
pub(crate) struct Blocked {
    run: RunId,
    id: WaitId,
}

impl Blocked {
    /// Registers a wait in the current scope. If that is cancelled already, the abort function is
    /// called by [`Blocked::arm`], which must follow when the operation has taken note of the id.
    pub(crate) fn new(run: &Run, cx: &Context<'_>, operation: Rc<dyn Operation>, key: u32) -> Blocked {
        let scope = run.scopes.current();
        run.strands.note_cancel_point();
        let state = State::Blocked { operation, key };
        let waiter = run.waits.waiters.of(run, cx.waker());
        let mut waits = run.waits.waits.borrow_mut();
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

    /// Whether it is a wait of this run.
    pub(crate) fn is_of(&self, run: &Run) -> bool {
        self.run == run.id
    }

    /// Delivers a cancellation, or a Ctrl-C, that was there before the wait.
    #[inline]
    pub(crate) fn arm(&self, run: &Run) {
        if run.scopes.is_any_cancelled() || run.signals.interrupt.is_pending() {
            self.arm_now(run);
        }
    }

    #[cold]
    fn arm_now(&self, run: &Run) {
        let scope = run.waits.waits.borrow()[self.id].scope;
        if let Some(cancelled) = scope.and_then(|scope| run.scopes.cancelled(scope)) {
            run.deliver(self.id, &cancelled);
        }
        if run.signals.interrupt.is_pending() {
            run.interrupt_at(self.id);
        }
    }

    /// Whether the wait was completed (`Ok`) or aborted (`Err`).
    pub(crate) fn poll(&self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), Cancelled>> {
        if run.id != self.run {
            return Poll::Pending;
        }
        let mut waits = run.waits.waits.borrow_mut();
        let wait = &mut waits[self.id];
        match &wait.state {
            State::Rescheduled => Poll::Ready(Ok(())),
            State::Aborted(_) => match std::mem::replace(&mut wait.state, State::Raised) {
                State::Aborted(cancelled) => Poll::Ready(Err(cancelled)),
                _ => polled_after_its_end(),
            },
            State::Raised => polled_after_its_end(),
            State::Blocked { .. } | State::Committed => {
                if !run.waits.waiters.is(run, wait.waiter, cx.waker()) {
                    let former = std::mem::replace(&mut wait.waiter, run.waits.waiters.of(run, cx.waker()));
                    drop(waits);
                    run.waits.waiters.forget(former);
                }
                Poll::Pending
            }
        }
    }

    /// Whether the wait was completed.
    pub(crate) fn is_rescheduled(&self) -> bool {
        let look = |run: &Rc<Run>| {
            run.id == self.run && matches!(run.waits.waits.borrow()[self.id].state, State::Rescheduled)
        };
        run::try_with(look).unwrap_or(false)
    }
}

impl Drop for Blocked {
    fn drop(&mut self) {
        // With its run a wait has ended.
        run::try_with(|run| {
            if run.id == self.run {
                run.waits.remove(run, self.id);
            }
        });
    }
}
