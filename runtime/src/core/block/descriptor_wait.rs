//! Descriptors in the reactor: how they enter and leave it, and how a task waits until one is ready.
//!
//! A task that waits for a side is blocked in an ordinary [wait](super::wait). The reactor is the operation of that
//! wait.

use crate::{
    Cancelled,
    core::{
        block::{
            reactor::{BOTH, Direction, Heard, OWN, Reactor, Side, SourceState},
            source_table::SourceId,
            wait::Blocked,
        },
        run,
        run::Run,
    },
};
use mio::{Interest, unix::SourceFd};
use std::{future::poll_fn, io, os::fd::RawFd, rc::Rc, task};
impl Reactor {
    /// Enters a descriptor of ours. Its owner keeps it open as long as it holds the source.
    pub(crate) fn enter(&self, run: &Run, fd: RawFd) -> io::Result<SourceId> {
        self.enter_for(run, fd, OWN)
    }

    /// Enters a descriptor that is not ours.
    pub(crate) fn enter_foreign(&self, run: &Run, fd: RawFd) -> io::Result<SourceId> {
        self.enter_for(run, fd, BOTH)
    }

    fn enter_for(&self, run: &Run, fd: RawFd, interest: Interest) -> io::Result<SourceId> {
        let id = {
            let mut sources = self.sources.borrow_mut();
            let place = sources.vacant_key() as u32;
            let generation = self.generation.get();
            // The last generation is left out: a token with it could be the waker's.
            self.generation.set((generation + 1) % u32::MAX);
            let id = SourceId { place, generation };
            let eventless = !self.register(fd, id, interest)?;
            sources.insert(SourceState { fd, generation, holders: 1, eventless, sides: [Side::NEW; 2] });
            id
        };
        // If a source is still entered under this number, its descriptor was closed without notice.
        if let Some(stale) = self.by_descriptor.borrow_mut().insert(fd, id) {
            self.closing(run, stale);
        }
        Ok(id)
    }

    /// Holds the source of a descriptor that is not ours. Enters the descriptor if it is not there.
    pub(crate) fn borrow(&self, run: &Run, fd: RawFd) -> io::Result<SourceId> {
        let known = self.by_descriptor.borrow().get(fd);
        if let Some(id) = known
            && let Some(source) = self.sources.borrow_mut().get_mut(id.place as usize)
        {
            source.holders += 1;
            return Ok(id);
        }
        self.enter_foreign(run, fd)
    }

    /// Gives up a source. The last holder removes it, and tasks that still wait for it are told.
    pub(crate) fn release(&self, run: &Run, id: SourceId) {
        if Self::find(&mut self.sources.borrow_mut(), id).is_some_and(|source| source.holders == 1) {
            self.closing(run, id);
        }
        let fd = {
            let mut sources = self.sources.borrow_mut();
            let Some(source) = Self::find(&mut sources, id) else { return };
            source.holders -= 1;
            if source.holders > 0 {
                return;
            }
            sources.remove(id.place as usize).fd
        };
        let mut by_descriptor = self.by_descriptor.borrow_mut();
        if by_descriptor.get(fd) == Some(id) {
            by_descriptor.remove(fd);
            // This fails if the descriptor was closed before. Then the system has forgotten it already.
            let _gone = self.with_poll(|poll| poll.registry().deregister(&mut SourceFd(&fd)));
        }
    }

    /// Tells the tasks that wait for a source that it is being closed.
    pub(crate) fn closing(&self, run: &Run, id: SourceId) {
        let waiters = {
            let mut sources = self.sources.borrow_mut();
            let Some(source) = Self::find(&mut sources, id) else { return };
            source.sides.each_mut().map(|side| {
                let waiter = side.waiter.take();
                side.closing = waiter.is_some();
                waiter
            })
        };
        for (direction, waiter) in [Direction::Read, Direction::Write].into_iter().zip(waiters) {
            if let Some(waiter) = waiter {
                self.count(direction, -1);
                run.reschedule(waiter);
            }
        }
        // The host of a guest run may call this while the run's loop sleeps.
        run.inbox.wake_loop_if_asleep();
    }

    /// Begins to wait until the system says that a side is ready. Fails at once if the source is gone, or if another
    /// task waits for the side.
    ///
    /// # Panics
    /// In another run than the reactor's: its loop would never wake the task.
    pub(crate) fn begin_wait(
        self: &Rc<Self>,
        run: &Run,
        cx: &task::Context<'_>,
        id: SourceId,
        direction: Direction,
    ) -> Result<DescriptorWait, Heard> {
        run::with(|current| {
            assert!(current.id == run.id, "a socket or pipe of one run was waited for in another run");
        });
        let mut sources = self.sources.borrow_mut();
        let Some(source) = Self::find(&mut sources, id) else { return Err(Heard::Closing) };
        let side = &mut source.sides[direction as usize];
        if side.waiter.is_some() {
            return Err(Heard::Busy);
        }
        let key = id.place << 1 | direction as u32;
        let blocked = Blocked::new(run, cx, self.clone(), key);
        side.waiter = Some(blocked.id());
        // An earlier waiter may have been told of a closing, and dropped before it heard. This waiter must not hear
        // that.
        side.closing = false;
        self.count(direction, 1);
        let eventless = source.eventless;
        drop(sources);
        blocked.arm(run);
        if eventless {
            self.wake(run, id, direction);
        }
        Ok(DescriptorWait { reactor: self.clone(), id, direction, blocked })
    }

    /// Says in the system's place that a side is ready. A task that waits for it wakes in the next tick.
    fn wake(&self, run: &Run, id: SourceId, direction: Direction) {
        let waiter = {
            let mut sources = self.sources.borrow_mut();
            let Some(source) = Self::find(&mut sources, id) else { return };
            let side = &mut source.sides[direction as usize];
            side.ready = true;
            side.waiter.take()
        };
        if let Some(waiter) = waiter {
            self.count(direction, -1);
            run.reschedule(waiter);
        }
    }

    /// Blocks until the system says that a side is ready.
    ///
    /// # Cancellation
    /// A checkpoint if it blocks. It does not block if it answers at once that the side is busy or the source is
    /// gone.
    pub(crate) async fn wait_ready(
        self: &Rc<Self>,
        run: &Rc<Run>,
        id: SourceId,
        direction: Direction,
    ) -> Result<Heard, Cancelled> {
        let mut waiting: Option<DescriptorWait> = None;
        poll_fn(|cx| {
            if let Some(waiting) = &waiting {
                return waiting.poll(cx);
            }
            match self.begin_wait(run, cx, id, direction) {
                Ok(begun) => waiting = Some(begun),
                Err(heard) => return task::Poll::Ready(Ok(heard)),
            }
            task::Poll::Pending
        })
        .await
    }
}

/// A task that waits for a side. Dropping this leaves the side free.
pub(crate) struct DescriptorWait {
    reactor: Rc<Reactor>,
    id: SourceId,
    direction: Direction,
    blocked: Blocked,
}

impl DescriptorWait {
    /// The news for the task, once there is some.
    pub(crate) fn poll(&self, cx: &task::Context<'_>) -> task::Poll<Result<Heard, Cancelled>> {
        run::with(|run| self.blocked.poll(run, cx)).map_ok(|()| self.reactor.heard(self.id, self.direction))
    }
}

impl Drop for DescriptorWait {
    fn drop(&mut self) {
        let mut sources = self.reactor.sources.borrow_mut();
        let Some(source) = Reactor::find(&mut sources, self.id) else { return };
        let side = &mut source.sides[self.direction as usize];
        if side.waiter == Some(self.blocked.id()) {
            side.waiter = None;
            self.reactor.count(self.direction, -1);
        }
    }
}
