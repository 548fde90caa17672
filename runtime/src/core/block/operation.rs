//! PlainOperations: what a task can be blocked in, as far as cancellation needs to know it.

use crate::Cancelled;
use std::rc::Rc;
/// What an abort function answers; trio's `Aborted`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aborted {
    /// The operation is undone: the task gets `Cancelled`.
    Succeeded,
    /// It cannot be undone: the task stays blocked until it is rescheduled.
    Failed,
}

/// An operation in which tasks block.
pub(crate) trait Operation {
    /// Takes the waiter `key` out of the operation, for this cancellation.
    fn abort(&self, key: u32, cancelled: &Cancelled) -> Aborted;

    /// Takes the waiter `key` out since its run is over: nobody will wake it any more.
    fn forget(&self, key: u32) {
        let _ = key;
    }

    /// What the waiter is doing, for people who look.
    fn describe(&self) -> &'static str;
}

/// An operation with nothing to undo, or nothing that can be undone.
pub(crate) struct Plain {
    what: &'static str,
    abort: Aborted,
}

impl Operation for Plain {
    fn abort(&self, _key: u32, _cancelled: &Cancelled) -> Aborted {
        self.abort
    }

    fn describe(&self) -> &'static str {
        self.what
    }
}

/// The plain operations, each shared by all who block in it.
pub(crate) struct PlainOperations {
    pub(crate) sleep: Rc<Plain>,
    pub(crate) idle: Rc<Plain>,
    pub(crate) foreign: Rc<Plain>,
    pub(crate) start: Rc<Plain>,
}

impl PlainOperations {
    pub(crate) fn new() -> PlainOperations {
        let plain = |what, abort| Rc::new(Plain { what, abort });
        PlainOperations {
            sleep: plain("sleeping", Aborted::Succeeded),
            idle: plain("waiting until all tasks are blocked", Aborted::Succeeded),
            foreign: plain("waiting for a foreign future", Aborted::Succeeded),
            start: plain("waiting for a task to be started", Aborted::Failed),
        }
    }
}
