//! Operations: what a task can be blocked in, as far as cancellation needs to know it.

use crate::{
    Cancelled,
    core::block::awaited::{Awaited, EndedBy},
};
use std::rc::Rc;
/// The answer of an abort function; trio's `Aborted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aborted {
    /// The operation is undone. The task gets `Cancelled`.
    Succeeded,
    /// The operation cannot be undone. The task stays blocked until it is rescheduled.
    Failed,
}

/// An operation in which tasks block.
pub(crate) trait Operation {
    /// Removes the waiter `key` from the operation, because of this cancellation.
    fn abort(&self, key: u32, cancelled: &Cancelled) -> Aborted;

    /// Removes the waiter `key`, since its run is over. Nobody will wake it any more.
    fn withdraw(&self, key: u32) {
        let _ = key;
    }

    /// Says what the waiter is doing, for debugging.
    fn describe(&self) -> &'static str;

    /// What could end the wait of the waiter `key`, for debugging.
    fn awaited(&self, key: u32) -> Awaited {
        let _ = key;
        Awaited::default()
    }
}

/// An operation that has nothing to undo, or that cannot be undone.
pub(crate) struct Plain {
    what: &'static str,
    abort: Aborted,
    ended_by: EndedBy,
}

impl Operation for Plain {
    fn abort(&self, _key: u32, _cancelled: &Cancelled) -> Aborted {
        self.abort
    }

    fn describe(&self) -> &'static str {
        self.what
    }

    fn awaited(&self, _key: u32) -> Awaited {
        Awaited { ended_by: self.ended_by, ..Awaited::default() }
    }
}

/// What a task does that waits in [`start`](crate::Nursery::start).
pub(crate) const START: &str = "waiting for a task to be started";

/// The plain operations of a run. All tasks that block in one of them share it.
pub(crate) struct PlainOperations {
    pub(crate) sleep: Rc<Plain>,
    pub(crate) idle: Rc<Plain>,
    pub(crate) foreign: Rc<Plain>,
    pub(crate) start: Rc<Plain>,
}

impl PlainOperations {
    pub(crate) fn new() -> PlainOperations {
        let plain = |what, abort, ended_by| Rc::new(Plain { what, abort, ended_by });
        PlainOperations {
            sleep: plain("sleeping", Aborted::Succeeded, EndedBy::Tasks),
            idle: plain("waiting until all tasks are blocked", Aborted::Succeeded, EndedBy::Time),
            foreign: plain("waiting for a foreign future", Aborted::Succeeded, EndedBy::Foreign),
            start: plain(START, Aborted::Failed, EndedBy::Tasks),
        }
    }
}
