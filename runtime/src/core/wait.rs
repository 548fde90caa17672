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
    run::{self, Run},
    scope::ScopeId,
    table::{Key, Table},
    task::Task,
    waker::{self, RunId},
};
use crate::Cancelled;
use std::{
    cell::{RefCell, RefMut},
    rc::Rc,
    task::{Context, Poll, Waker},
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
}

struct Wait {
    scope: ScopeId,
    /// Where it stands in its scope's list; [`UNLISTED`] if that scope was gone when it began.
    place: u32,
    waker: Waker,
    state: State,
}

/// In no list.
const UNLISTED: u32 = u32::MAX;

/// All waits of a run.
#[derive(Default)]
pub(crate) struct Waits {
    waits: RefCell<Table<Wait>>,
}

impl Run {
    /// What a task is blocked in; several things at once in a `join!`.
    pub(crate) fn blocked_in(&self, task: &Task) -> Vec<&'static str> {
        let waits = self.waits.waits.borrow();
        let of_task = waits.iter().filter(|(_, wait)| {
            let strand = waker::strand_of(&wait.waker, self.id);
            strand.and_then(|strand| self.strands.task_of(strand)).as_ref() == Some(task)
        });
        of_task
            .map(|(_, wait)| match &wait.state {
                State::Blocked { operation, .. } => operation.describe(),
                State::Committed => "blocked and not to be aborted",
                State::Rescheduled => "about to go on",
                State::Aborted(_) => "cancelled",
            })
            .collect()
    }

    /// The waits of a task that may still be aborted.
    pub(crate) fn waits_of(&self, task: &Task) -> Vec<WaitId> {
        let waits = self.waits.waits.borrow();
        let blocked = waits.iter().filter(|(_, wait)| {
            matches!(wait.state, State::Blocked { .. })
                && waker::strand_of(&wait.waker, self.id)
                    .and_then(|strand| self.strands.task_of(strand))
                    .as_ref()
                    == Some(task)
        });
        blocked.map(|(id, _)| id).collect()
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
        let waker = &waits[id].waker;
        match waker::strand_of(waker, self.id) {
            Some(strand) => {
                drop(waits);
                self.wake(strand);
            }
            None => {
                let waker = waker.clone();
                drop(waits);
                waker.wake();
            }
        }
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
        let mut waits = run.waits.waits.borrow_mut();
        let id = waits.next_key();
        let place = run.scopes.add_wait(scope, id).unwrap_or(UNLISTED);
        waits.insert(Wait { scope, place, waker: cx.waker().clone(), state });
        Blocked { run: run.id, id }
    }

    pub(crate) fn id(&self) -> WaitId {
        self.id
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
        if let Some(cancelled) = run.scopes.cancelled(scope) {
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
            State::Aborted(cancelled) => Poll::Ready(Err(cancelled.clone())),
            State::Blocked { .. } | State::Committed => {
                if !wait.waker.will_wake(cx.waker()) {
                    let former = std::mem::replace(&mut wait.waker, cx.waker().clone());
                    drop(waits);
                    drop(former);
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
        let wait = run::try_with(|run| {
            if run.id != self.run {
                return None;
            }
            let mut waits = run.waits.waits.borrow_mut();
            let wait = waits.remove(self.id)?;
            // The last of the scope's list moves into the gap.
            if wait.place != UNLISTED
                && let Some(moved) = run.scopes.remove_wait(wait.scope, wait.place, self.id)
                && let Some(moved) = waits.get_mut(moved)
            {
                moved.place = wait.place;
            }
            Some(wait)
        });
        // Outside the borrow: it may hold the last reference to an operation.
        drop(wait);
    }
}
