//! The reactor: where the run loop sleeps, and where the operating system's events arrive.
//!
//! A descriptor is entered once, for both directions, and *edge-triggered*. That means: the system sends an event
//! when a direction becomes ready, and sends no other until that direction was found not ready. So the reactor
//! remembers. Each [`Side`] of a source keeps the last news. Code that uses a descriptor tries first, and waits only
//! after the system said "would block". So a busy socket costs no system calls except its own reads and writes.
//!
//! A task that waits for a side is blocked in an ordinary [wait](crate::core::block::wait), with the reactor as its
//! operation. Only one task may wait for a side. Two tasks that read from one socket are a mistake, and waiting would
//! only hide it.
//!
//! epoll has no events for regular files, nor for devices such as `/dev/null`, and refuses them. They are always
//! ready. Such a source is *eventless*: it is not entered in the system's queue, and a task that waits for it is
//! woken in the next tick.
//!
//! The system's queue knows a descriptor by its number *and* its open file. A descriptor that is closed without
//! notice stays in that queue as long as a duplicate keeps its file open. So a number that is new to us may already
//! be in the system's queue, and a number that we know may be missing there.
//!
//! A source is named by its place in a slab and a generation, which tells it from earlier sources in that place. The
//! system returns the name with each event. So an event that was under way when its source left finds nothing.

use crate::{
    Cancelled,
    core::{
        block::{
            awaited::{Awaited, EndedBy},
            operation::{Aborted, Operation},
            source_table::{SourceId, SourceTable},
        },
        ids::WaitId,
    },
};
use mio::{Events, Interest, Poll, Token, Waker, unix::SourceFd};
use slab::Slab;
use std::{
    cell::{Cell, RefCell},
    io,
    os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd},
    time::Duration,
};

/// The token of the waker that other threads use.
const WAKER: Token = Token(usize::MAX);

/// The events that are asked for from every descriptor.
pub(crate) const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// The events that are asked for from a descriptor of our own. Urgent data is one of them, since reads stop short at
/// it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const OWN: Interest = BOTH.add(Interest::PRIORITY);
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const OWN: Interest = BOTH;

/// What a descriptor can be ready for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    Read = 0,
    Write = 1,
}

/// Whether the system has refused a descriptor because it has no events for such files. They are always ready.
fn has_no_events(error: &io::Error) -> bool {
    cfg!(any(target_os = "linux", target_os = "android")) && error.raw_os_error() == Some(libc::EPERM)
}

/// What kind of file a descriptor is, for debugging, as far as the system tells.
fn kind_of(fd: RawFd) -> String {
    let link = std::fs::read_link(format!("/proc/self/fd/{fd}")).unwrap_or_default();
    match link.to_str().unwrap_or_default() {
        "" => "a file".to_owned(),
        "anon_inode:[pidfd]" => "the end of a process".to_owned(),
        link if link.starts_with("pipe:") => "a pipe".to_owned(),
        link if link.starts_with("socket:") => "a socket".to_owned(),
        link => link.to_owned(),
    }
}

/// How a wait for a descriptor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The descriptor is ready, as far as is known.
    Ready,
    /// The descriptor was closed, or is about to be.
    Closing,
    /// Another task waits for the same side.
    Busy,
}

/// One direction of a source.
pub(crate) struct Side {
    /// The last news: the side is ready, and nobody has found otherwise since. It begins as true, since a first try
    /// is worth it.
    pub(crate) ready: bool,
    /// Whether data may be left that no further event will tell of. That is so after the peer has hung up, or has sent
    /// urgent data: a read stops at urgent data though there is more behind it.
    pub(crate) edgeless: bool,
    /// Whether the last waiter was told that the descriptor is being closed.
    pub(crate) closing: bool,
    pub(crate) waiter: Option<WaitId>,
}

impl Side {
    pub(crate) const NEW: Side = Side { ready: true, edgeless: false, closing: false, waiter: None };
}

pub(crate) struct SourceState {
    pub(crate) fd: RawFd,
    pub(crate) generation: u32,
    /// The number of holders: the socket that the source belongs to, or tasks that wait for a foreign descriptor.
    pub(crate) holders: usize,
    /// Whether the system has no events for it. Then it is always ready.
    pub(crate) eventless: bool,
    pub(crate) sides: [Side; 2],
}

pub(crate) struct Reactor {
    /// `None` once the run has ended. A future of the run that is kept must not keep this descriptor open.
    poll: RefCell<Option<Poll>>,
    events: RefCell<Events>,
    pub(crate) sources: RefCell<Slab<SourceState>>,
    pub(crate) by_descriptor: RefCell<SourceTable>,
    pub(crate) generation: Cell<u32>,
    /// How many tasks wait in each direction.
    waiting: [Cell<usize>; 2],
    /// A list for waits to complete. It is kept, to save an allocation each time.
    woken: RefCell<Vec<WaitId>>,
}

impl Operation for Reactor {
    fn abort(&self, key: u32, _cancelled: &Cancelled) -> Aborted {
        let direction = if key & 1 == 0 { Direction::Read } else { Direction::Write };
        if let Some(source) = self.sources.borrow_mut().get_mut((key >> 1) as usize)
            && source.sides[direction as usize].waiter.take().is_some()
        {
            self.count(direction, -1);
        }
        Aborted::Succeeded
    }

    fn describe(&self) -> &'static str {
        "waiting for a file descriptor"
    }

    fn awaited(&self, key: u32) -> Awaited {
        let fd = self.sources.borrow().get((key >> 1) as usize).map(|source| source.fd);
        let until = if key & 1 == 0 { "until it can be read" } else { "until it has room to be written" };
        let details = fd.map(|fd| format!("{} (descriptor {fd}), {until}", kind_of(fd))).unwrap_or_default();
        Awaited { ended_by: EndedBy::Descriptor, details, ..Awaited::default() }
    }
}

impl Reactor {
    pub(crate) fn new() -> io::Result<Reactor> {
        Ok(Reactor {
            poll: RefCell::new(Some(Poll::new()?)),
            events: RefCell::new(Events::with_capacity(1024)),
            sources: RefCell::default(),
            by_descriptor: RefCell::default(),
            generation: Cell::new(0),
            waiting: Default::default(),
            woken: RefCell::default(),
        })
    }

    /// Makes the waker with which other threads end a sleep. Call this once.
    pub(crate) fn waker(&self) -> io::Result<Waker> {
        self.with_poll(|poll| Waker::new(poll.registry(), WAKER))
    }

    /// A descriptor that becomes readable when there are events. A guest's watcher waits for it.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.with_poll(|poll| {
            // SAFETY: the descriptor belongs to `poll`, which is borrowed as long as this borrow is used.
            let descriptor = unsafe { BorrowedFd::borrow_raw(poll.as_raw_fd()) };
            descriptor.try_clone_to_owned()
        })
    }

    /// Calls `f` with the system's queue. Returns an error if the run has ended.
    pub(crate) fn with_poll<R>(&self, f: impl FnOnce(&Poll) -> io::Result<R>) -> io::Result<R> {
        match &*self.poll.borrow() {
            Some(poll) => f(poll),
            None => Err(io::Error::other("the run has ended")),
        }
    }

    /// Closes the system's queue, since the run has ended.
    pub(crate) fn close(&self) {
        let poll = self.poll.take();
        drop(poll);
    }

    pub(crate) fn count(&self, direction: Direction, change: isize) {
        let count = &self.waiting[direction as usize];
        count.set(count.get().wrapping_add_signed(change));
    }

    /// How many tasks wait to read, and how many to write.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        (self.waiting[0].get(), self.waiting[1].get())
    }

    pub(crate) fn anybody_waits(&self) -> bool {
        self.waiting != [Cell::new(0), Cell::new(0)]
    }

    /// Sleeps until an event or the time limit, then gives the waits that are over to `wake`. Returns whether there
    /// was an event.
    pub(crate) fn wait(
        &self,
        limit: Option<Duration>,
        wake: impl FnOnce(&mut dyn Iterator<Item = WaitId>),
    ) -> bool {
        let mut events = self.events.borrow_mut();
        let mut poll = self.poll.borrow_mut();
        let Some(poll) = &mut *poll else { return false };
        match poll.poll(&mut events, limit) {
            Ok(()) => {}
            // A signal handler ran. The loop has to look at what it left.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return true,
            Err(error) => {
                log::error!("the reactor failed to wait for events: {error}");
                return true;
            }
        }
        let heard = !events.is_empty();
        let mut woken = self.woken.take();
        let mut sources = self.sources.borrow_mut();
        for event in events.iter().filter(|event| event.token() != WAKER) {
            let id = SourceId::of(event.token());
            let Some(source) = sources.get_mut(id.place as usize) else { continue };
            if source.generation != id.generation {
                continue;
            }
            // A waiter must also learn of errors and hang-ups. Its next system call will report them.
            let (error, hung_up) = (event.is_error(), [event.is_read_closed(), event.is_write_closed()]);
            let ready = [event.is_readable(), event.is_writable()];
            source.sides[Direction::Read as usize].edgeless |= event.is_priority();
            for direction in [Direction::Read, Direction::Write] {
                let side = &mut source.sides[direction as usize];
                side.edgeless |= hung_up[direction as usize];
                if ready[direction as usize] || hung_up[direction as usize] || error {
                    side.ready = true;
                    if let Some(waiter) = side.waiter.take() {
                        self.count(direction, -1);
                        woken.push(waiter);
                    }
                }
            }
        }
        drop((events, sources));
        wake(&mut woken.drain(..));
        self.woken.replace(woken);
        heard
    }

    /// Enters a descriptor in the system's queue. Returns false if the system has no events for it.
    pub(crate) fn register(&self, fd: RawFd, id: SourceId, interest: Interest) -> io::Result<bool> {
        let entered = self.with_poll(|poll| {
            match poll.registry().register(&mut SourceFd(&fd), id.token(), interest) {
                // The number was closed without notice, a duplicate has kept its file open, and now the number is
                // used again.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    poll.registry().reregister(&mut SourceFd(&fd), id.token(), interest)
                }
                outcome => outcome,
            }
        });
        match entered {
            Err(error) if has_no_events(&error) => Ok(false),
            entered => entered.map(|()| true),
        }
    }

    /// The news for a waiter that was woken.
    pub(crate) fn heard(&self, id: SourceId, direction: Direction) -> Heard {
        let mut sources = self.sources.borrow_mut();
        let side = Self::find(&mut sources, id).map(|source| &mut source.sides[direction as usize]);
        match side.is_none_or(|side| std::mem::take(&mut side.closing)) {
            true => Heard::Closing,
            false => Heard::Ready,
        }
    }

    /// The source of a descriptor, if it is entered.
    pub(crate) fn source_of(&self, fd: RawFd) -> Option<SourceId> {
        self.by_descriptor.borrow().get(fd)
    }

    pub(crate) fn find(sources: &mut Slab<SourceState>, id: SourceId) -> Option<&mut SourceState> {
        sources.get_mut(id.place as usize).filter(|source| source.generation == id.generation)
    }

    /// Whether a side is ready, as far as is known.
    pub(crate) fn is_ready(&self, id: SourceId, direction: Direction) -> bool {
        let mut sources = self.sources.borrow_mut();
        Self::find(&mut sources, id).is_some_and(|source| source.sides[direction as usize].ready)
    }

    /// Notes that the system said "would block".
    pub(crate) fn found_blocked(&self, id: SourceId, direction: Direction) {
        if let Some(source) = Self::find(&mut self.sources.borrow_mut(), id) {
            source.sides[direction as usize].ready = false;
        }
    }

    /// Notes that a read or write was shorter than its buffer. So the system's buffer is empty, or full, and the
    /// system will send an event when that changes. This saves the call that would say "would block".
    pub(crate) fn found_short(&self, id: SourceId, direction: Direction) {
        if let Some(source) = Self::find(&mut self.sources.borrow_mut(), id) {
            let side = &mut source.sides[direction as usize];
            side.ready = side.edgeless;
        }
    }

    /// Forgets the last news of a side, and has the system report it again. This is for descriptors whose reads and
    /// writes happen elsewhere. Returns whether the source is still that of its descriptor.
    pub(crate) fn ask_again(&self, id: SourceId, direction: Direction) -> io::Result<bool> {
        let mut sources = self.sources.borrow_mut();
        let Some(source) = Self::find(&mut sources, id) else { return Ok(false) };
        source.sides[direction as usize].ready = false;
        let fd = source.fd;
        if source.eventless {
            // The number may belong to another file by now. A task that waits for the old file does not wait long.
            source.eventless = !self.register(fd, id, BOTH)?;
            return Ok(true);
        }
        match self.with_poll(|poll| poll.registry().reregister(&mut SourceFd(&fd), id.token(), BOTH)) {
            Ok(()) => Ok(true),
            // The descriptor was closed without notice, and its number belongs to another file now.
            Err(error) if error.kind() == io::ErrorKind::NotFound || has_no_events(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
