//! One direction of a simulated socket, and the task that waits for it. This is to a simulated socket what the reactor
//! is to a descriptor. It needs no events: whoever makes a direction ready wakes its task.

use crate::{
    Cancelled,
    core::{
        block::{
            operation::{Aborted, Operation},
            wait::{Blocked, Ticket},
        },
        run,
        run::Run,
    },
};
use std::{
    cell::Cell,
    rc::Rc,
    task::{Context, Poll},
};

/// One direction of a simulated socket. At most one task waits for it, as for a descriptor.
pub(crate) struct Side {
    /// What a task does that waits here, for debugging.
    what: &'static str,
    waiter: Cell<Option<Ticket>>,
}

impl Side {
    #[cfg_attr(not(feature = "testing"), allow(dead_code, reason = "only a simulated network makes them"))]
    pub(crate) fn new(what: &'static str) -> Rc<Side> {
        Rc::new(Side { what, waiter: Cell::new(None) })
    }

    /// Wakes the task that waits here, if there is one.
    pub(crate) fn wake(&self) {
        if let Some(waiter) = self.waiter.take() {
            waiter.reschedule();
        }
    }

    /// Begins to wait. `None` if another task waits here.
    pub(crate) fn begin_wait(self: &Rc<Side>, run: &Run, cx: &Context<'_>) -> Option<SideWait> {
        if self.waiter.get().is_some() {
            return None;
        }
        let blocked = Blocked::new(run, cx, self.clone(), 0);
        self.waiter.set(Some(blocked.ticket()));
        blocked.arm(run);
        Some(SideWait { side: self.clone(), blocked })
    }
}

impl Operation for Side {
    fn abort(&self, _key: u32, _cancelled: &Cancelled) -> Aborted {
        self.waiter.set(None);
        Aborted::Succeeded
    }

    fn withdraw(&self, _key: u32) {
        self.waiter.set(None);
    }

    fn describe(&self) -> &'static str {
        self.what
    }
}

/// A task that waits for a direction. Dropping this leaves the direction free.
pub(crate) struct SideWait {
    side: Rc<Side>,
    blocked: Blocked,
}

impl SideWait {
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Result<(), Cancelled>> {
        run::with(|run| self.blocked.poll(run, cx))
    }
}

impl Drop for SideWait {
    fn drop(&mut self) {
        if self.side.waiter.get() == Some(self.blocked.ticket()) {
            self.side.waiter.set(None);
        }
    }
}
