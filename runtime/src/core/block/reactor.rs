//! The reactor: where the run loop sleeps, and what the operating system has to say.
//!
//! A descriptor is entered once, for both directions, and *edge-triggered*: the system speaks up
//! when a direction becomes ready, and then not again before it has been found not ready. So the
//! reactor remembers: each [`Side`] of a source keeps its last word, whoever uses the descriptor
//! tries first and waits only after the system said "would block", and a busy socket costs no system
//! call beyond its own reads and writes.
//!
//! Who waits for a side is a task blocked in an ordinary [wait](crate::core::block::wait), with the reactor as its
//! operation. One task a side: two that read from one socket have made a mistake, and waiting would
//! only hide it.
//!
//! Of a regular file, and of devices such as `/dev/null`, epoll has no events, and refuses them: they are
//! always ready. Such a source is *eventless*: it is not entered in the system's queue, and whoever waits for it
//! is woken in the next tick.
//!
//! The system's queue knows a descriptor by its number *and* its open file. A descriptor that is closed
//! without notice stays entered as long as a duplicate keeps its file open; so the system may find a
//! number entered that is new to us, and not know one that is not.
//!
//! A source is named by its place in a slab and the generation of that place; the system hands the
//! name back with each event, so an event that was under way when its source left finds nobody.

use crate::{
    Cancelled,
    core::{
        block::{
            by_fd::{ByFd, SourceId},
            operation::{Aborted, Operation},
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

/// The event of the cross-thread waker.
const WAKER: Token = Token(usize::MAX);

/// What is heard of every descriptor.
pub(crate) const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// What is heard of a descriptor of our own: of urgent data, too, since reads stop short at it.
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

/// Whether the system has refused a descriptor since it has no events of such files, which are always ready.
fn has_no_events(error: &io::Error) -> bool {
    cfg!(any(target_os = "linux", target_os = "android")) && error.raw_os_error() == Some(libc::EPERM)
}

/// How a wait for a descriptor ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The descriptor is ready, as far as is known.
    Ready,
    /// Somebody has closed it, or is about to.
    Closing,
    /// Another task waits for the same.
    Busy,
}

/// One direction of a source.
pub(crate) struct Side {
    /// The last word: ready, and nobody has found otherwise since. At first it is worth a try.
    pub(crate) ready: bool,
    /// What is left may come without a further edge: the other side has hung up, or has sent urgent
    /// data, at which a read stops though there is more behind it.
    pub(crate) edgeless: bool,
    /// Whether the last waiter was told that the descriptor is being closed.
    pub(crate) closing: bool,
    pub(crate) waiter: Option<WaitId>,
}

impl Side {
    pub(crate) const NEW: Side = Side { ready: true, edgeless: false, closing: false, waiter: None };
}

pub(crate) struct Source {
    pub(crate) fd: RawFd,
    pub(crate) generation: u32,
    /// How many hold it: the socket it belongs to, or tasks that wait for a foreign descriptor.
    pub(crate) holders: usize,
    /// Whether the system has no events of it: then it is always ready.
    pub(crate) eventless: bool,
    pub(crate) sides: [Side; 2],
}

pub(crate) struct Reactor {
    /// None once the run has ended: a future of it that is kept must not keep the descriptor open.
    poll: RefCell<Option<Poll>>,
    events: RefCell<Events>,
    pub(crate) sources: RefCell<Slab<Source>>,
    pub(crate) by_fd: RefCell<ByFd>,
    pub(crate) generation: Cell<u32>,
    /// How many tasks wait, by direction.
    waiting: [Cell<usize>; 2],
    /// Waits to complete; kept to save an allocation each time.
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
}

impl Reactor {
    pub(crate) fn new() -> io::Result<Reactor> {
        Ok(Reactor {
            poll: RefCell::new(Some(Poll::new()?)),
            events: RefCell::new(Events::with_capacity(1024)),
            sources: RefCell::default(),
            by_fd: RefCell::default(),
            generation: Cell::new(0),
            waiting: Default::default(),
            woken: RefCell::default(),
        })
    }

    /// The waker that other threads wake to end a sleep. To be made once.
    pub(crate) fn waker(&self) -> io::Result<Waker> {
        self.with_poll(|poll| Waker::new(poll.registry(), WAKER))
    }

    /// A descriptor that can be read when there are events to look at, for who waits elsewhere.
    pub(crate) fn descriptor(&self) -> io::Result<OwnedFd> {
        self.with_poll(|poll| {
            // SAFETY: the descriptor belongs to `poll`, which is borrowed as long as this is.
            let descriptor = unsafe { BorrowedFd::borrow_raw(poll.as_raw_fd()) };
            descriptor.try_clone_to_owned()
        })
    }

    /// Calls `f` with the system's queue; an error if the run has ended.
    pub(crate) fn with_poll<R>(&self, f: impl FnOnce(&Poll) -> io::Result<R>) -> io::Result<R> {
        match &*self.poll.borrow() {
            Some(poll) => f(poll),
            None => Err(io::Error::other("the run has ended")),
        }
    }

    /// The run has ended: gives the system's queue back.
    pub(crate) fn close(&self) {
        let poll = self.poll.take();
        drop(poll);
    }

    pub(crate) fn count(&self, direction: Direction, change: isize) {
        let count = &self.waiting[direction as usize];
        count.set(count.get().wrapping_add_signed(change));
    }

    /// How many tasks wait to read, and to write.
    pub(crate) fn waiting(&self) -> (usize, usize) {
        (self.waiting[0].get(), self.waiting[1].get())
    }

    pub(crate) fn anybody_waits(&self) -> bool {
        self.waiting != [Cell::new(0), Cell::new(0)]
    }

    /// Sleeps until an event or the time limit; hands the waits that are over to `wake`. Returns
    /// whether there was an event.
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
            // A signal handler ran: look around and come back.
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
            // Whoever waits must learn of errors and hang-ups, too: their system call will tell.
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

    /// Enters a descriptor in the system's queue. False if the system has no events of it.
    pub(crate) fn register(&self, fd: RawFd, id: SourceId, interest: Interest) -> io::Result<bool> {
        let entered = self.with_poll(|poll| {
            match poll.registry().register(&mut SourceFd(&fd), id.token(), interest) {
                // It was closed without notice, and is back: a duplicate has kept its file open.
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

    /// What a waiter that was woken has to hear.
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
        self.by_fd.borrow().get(fd)
    }

    pub(crate) fn find(sources: &mut Slab<Source>, id: SourceId) -> Option<&mut Source> {
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

    /// Notes that less was read or written than there was room for: the system's buffer is empty, or
    /// full, and it will speak up when that changes. Saves the call that would say "would block".
    pub(crate) fn found_short(&self, id: SourceId, direction: Direction) {
        if let Some(source) = Self::find(&mut self.sources.borrow_mut(), id) {
            let side = &mut source.sides[direction as usize];
            side.ready = side.edgeless;
        }
    }

    /// Forgets what is known of a side and has the system say it again: for descriptors whose reads
    /// and writes happen elsewhere. Returns whether the source is still that of its descriptor.
    pub(crate) fn ask_again(&self, id: SourceId, direction: Direction) -> io::Result<bool> {
        let mut sources = self.sources.borrow_mut();
        let Some(source) = Self::find(&mut sources, id) else { return Ok(false) };
        source.sides[direction as usize].ready = false;
        let fd = source.fd;
        if source.eventless {
            // Perhaps the number belongs to another file by now. Nobody waits long for the old one.
            source.eventless = !self.register(fd, id, BOTH)?;
            return Ok(true);
        }
        match self.with_poll(|poll| poll.registry().reregister(&mut SourceFd(&fd), id.token(), BOTH)) {
            Ok(()) => Ok(true),
            // Closed without notice, and the number belongs to another file now.
            Err(error) if error.kind() == io::ErrorKind::NotFound || has_no_events(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }
}
