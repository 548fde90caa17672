//! Waiting for any file descriptor, and the sources that our own sockets are built on.
//!
//! [`wait_readable`] and the functions like it are for descriptors that were made elsewhere, for example by a C
//! library or for a device. Sockets of this library hold a [`Source`] instead. A source is registered in the
//! reactor once, and it tries the system call before it waits.

#[cfg(feature = "futures-io")]
use crate::io::polled::Polled;
use crate::{
    checkpoint,
    core::{
        block::{
            descriptor_wait::DescriptorWait,
            reactor::{Direction, Heard},
            source_table::SourceId,
        },
        run,
        run::Run,
    },
    io::{StreamError, mode::Mode, operate::Operate},
    sys,
};
use std::{
    cell::{Cell, RefCell},
    io,
    os::fd::{AsFd, AsRawFd, OwnedFd, RawFd},
    rc::Rc,
    task::Context,
};

pub(super) fn busy(direction: Direction) -> StreamError {
    StreamError::Busy(match direction {
        Direction::Read => "waiting for this descriptor to become readable",
        Direction::Write => "waiting for this descriptor to become writable",
    })
}

/// A source that is released when this is dropped.
struct Held {
    run: Rc<Run>,
    id: SourceId,
}

impl Drop for Held {
    fn drop(&mut self) {
        self.run.reactor.release(&self.run, self.id);
    }
}

async fn wait(fd: RawFd, direction: Direction) -> Result<(), StreamError> {
    let run = run::current();
    let reactor = run.reactor.clone();
    let mut held = Held { id: reactor.borrow(&run, fd).map_err(StreamError::Io)?, run: run.clone() };
    if !reactor.ask_again(held.id, direction).map_err(StreamError::Io)? {
        // The number now belongs to another file. Registering it tells the tasks that wait for the old file.
        held = Held { id: reactor.enter_foreign(&run, fd).map_err(StreamError::Io)?, run: run.clone() };
    }
    heard(reactor.wait_ready(&run, held.id, direction).await?, direction)
}

/// Blocks until a read from `fd` would not block; trio's `lowlevel.wait_readable`.
///
/// Use it for descriptors that this library did not make. They should be in non-blocking mode. One task may wait
/// for each direction of a descriptor.
///
/// A regular file, a folder, and a device such as `/dev/null` are always ready, because the system has no readiness
/// events for them. A wait for such a file ends in the next tick.
///
/// # Cancellation
/// A checkpoint. Nothing is lost.
///
/// # Errors
/// [`StreamError::Busy`] if another task waits for the same direction; [`StreamError::Closed`] if
/// [`notify_closing`] was called meanwhile; [`StreamError::Io`] if the system cannot wait for this descriptor, for
/// instance because it is closed.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use std::{io::Write, os::unix::net::UnixStream};
/// terzetto::run(async {
///     let (ours, mut theirs) = UnixStream::pair()?;
///     theirs.write_all(b"x")?;
///     terzetto::io::wait_readable(&ours).await?;
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn wait_readable(fd: impl AsFd) -> Result<(), StreamError> {
    wait(fd.as_fd().as_raw_fd(), Direction::Read).await
}

/// Blocks until a write to `fd` would not block; trio's `lowlevel.wait_writable`. Otherwise the same as
/// [`wait_readable`].
///
/// # Cancellation
/// A checkpoint. Nothing is lost.
///
/// # Errors
/// The errors of [`wait_readable`].
///
/// # Panics
/// Outside a run.
pub async fn wait_writable(fd: impl AsFd) -> Result<(), StreamError> {
    wait(fd.as_fd().as_raw_fd(), Direction::Write).await
}

/// Announces that `fd` is about to be closed. Tasks that wait for it fail with [`StreamError::Closed`]. This is
/// trio's `lowlevel.notify_closing`.
///
/// # Panics
/// Outside a run.
pub fn notify_closing(fd: impl AsFd) {
    let run = run::current();
    if let Some(id) = run.reactor.source_of(fd.as_fd().as_raw_fd()) {
        run.reactor.closing(&run, id);
    }
}

/// The reactor's answer to a task that waited for a descriptor, as a result.
pub(super) fn heard(what: Heard, direction: Direction) -> Result<(), StreamError> {
    match what {
        Heard::Ready => Ok(()),
        Heard::Closing => Err(StreamError::Closed),
        Heard::Busy => Err(busy(direction)),
    }
}

/// The registration of a descriptor of our own in the reactor of its run.
pub(super) struct SourceEntry {
    pub(super) run: Rc<Run>,
    pub(super) id: SourceId,
    #[cfg(feature = "futures-io")]
    pub(super) polled: [Polled; 2],
}

impl SourceEntry {
    /// Whether a direction is ready, as far as is known.
    pub(super) fn is_ready(&self, direction: Direction) -> bool {
        self.run.reactor.is_ready(self.id, direction)
    }

    /// Notes that the system said "would block".
    pub(super) fn found_blocked(&self, direction: Direction) {
        self.run.reactor.found_blocked(self.id, direction);
    }

    /// Begins to wait until the system says that a direction is ready.
    pub(super) fn begin_wait(&self, direction: Direction, cx: &Context<'_>) -> Result<DescriptorWait, Heard> {
        #[cfg(feature = "futures-io")]
        self.polled[direction as usize].yield_to_another();
        self.run.reactor.begin_wait(&self.run, cx, self.id, direction)
    }

    async fn wait(&self, direction: Direction) -> Result<(), StreamError> {
        #[cfg(feature = "futures-io")]
        self.polled[direction as usize].yield_to_another();
        heard(self.run.reactor.wait_ready(&self.run, self.id, direction).await?, direction)
    }
}

/// A descriptor of our own, registered in the reactor of its run.
pub(crate) struct Source<T: AsFd> {
    entry: SourceEntry,
    closed: Cell<bool>,
    /// How to restore the mode of the open file, if it may be shared with others.
    mode: RefCell<Option<Mode>>,
    /// `None` once it is closed.
    inner: RefCell<Option<Rc<T>>>,
}

impl<T: AsFd> Source<T> {
    /// Registers a descriptor that a user has given us. It is in non-blocking mode until it is closed.
    pub(crate) fn given(inner: T) -> io::Result<Source<T>> {
        let mode = Mode::set(&inner)?;
        Source::enter(inner, Some(mode))
    }

    /// Registers a descriptor of our own, which must be in non-blocking mode.
    pub(crate) fn new(inner: T) -> io::Result<Source<T>> {
        Source::enter(inner, None)
    }

    /// `mode` is the last parameter, so that it is dropped before the descriptor if registering fails.
    fn enter(inner: T, mode: Option<Mode>) -> io::Result<Source<T>> {
        let run = run::current();
        let id = run.reactor.enter(&run, inner.as_fd().as_raw_fd())?;
        let entry = SourceEntry {
            run,
            id,
            #[cfg(feature = "futures-io")]
            polled: Default::default(),
        };
        let closed = Cell::new(false);
        Ok(Source { entry, closed, mode: mode.into(), inner: Some(Rc::new(inner)).into() })
    }

    /// A duplicate of the descriptor for the user. Both share the open file, which is in non-blocking mode until this
    /// source is closed.
    pub(crate) fn duplicate(&self) -> Result<OwnedFd, StreamError> {
        let inner = self.get()?;
        let duplicate = inner.as_fd().try_clone_to_owned().map_err(StreamError::Io)?;
        let mut mode = self.mode.borrow_mut();
        if mode.is_none() {
            *mode = Some(Mode::lend(&*inner).map_err(StreamError::Io)?);
        }
        Ok(duplicate)
    }

    /// The descriptor's owner, until it is closed.
    pub(crate) fn get(&self) -> Result<Rc<T>, StreamError> {
        self.inner.borrow().clone().ok_or(StreamError::Closed)
    }

    /// Closes the descriptor. Tasks that use it fail as closed. Closing again does nothing.
    pub(crate) fn close(&self) {
        drop(self.leave());
    }

    /// Removes the descriptor from the reactor, and restores its mode if necessary.
    fn leave(&self) -> Option<Rc<T>> {
        if self.closed.replace(true) {
            return None;
        }
        self.entry.run.reactor.release(&self.entry.run, self.entry.id);
        self.mode.take();
        // A call that is under way still holds the descriptor until it returns.
        self.inner.take()
    }

    /// Gives the descriptor up to the user. A descriptor that was given to us is put back into its original mode, and
    /// one of our own is put into blocking mode.
    pub(crate) fn into_fd(self) -> Result<OwnedFd, StreamError>
    where
        T: Into<OwnedFd>,
    {
        let is_own = self.mode.borrow().is_none();
        let inner = self.leave().ok_or(StreamError::Closed)?;
        if is_own {
            sys::set_nonblocking(inner.as_fd().as_raw_fd(), false).map_err(StreamError::Io)?;
        }
        match Rc::try_unwrap(inner) {
            Ok(inner) => Ok(inner.into()),
            Err(shared) => shared.as_fd().try_clone_to_owned().map_err(StreamError::Io),
        }
    }

    /// The descriptor's entry in the reactor.
    pub(super) fn entry(&self) -> &SourceEntry {
        &self.entry
    }

    /// Calls `attempt` until it does not fail with "would block", and waits between the attempts.
    ///
    /// # Cancellation
    /// A checkpoint, even if the first attempt succeeds. A call that fails need not be one. The result of an attempt is
    /// never lost, neither by a cancellation nor by dropping the future.
    pub(crate) fn operate<R, F: FnMut(&T) -> io::Result<R>>(
        &self,
        direction: Direction,
        attempt: F,
    ) -> Operate<'_, T, F> {
        Operate::new(self, direction, attempt)
    }

    /// Blocks until the system says that the descriptor is ready.
    ///
    /// # Cancellation
    /// A checkpoint.
    pub(crate) async fn wait(&self, direction: Direction) -> Result<(), StreamError> {
        self.entry.wait(direction).await
    }

    /// Blocks until the descriptor is ready, as far as is known.
    ///
    /// # Cancellation
    /// A checkpoint.
    pub(crate) async fn ready(&self, direction: Direction) -> Result<(), StreamError> {
        match self.entry.is_ready(direction) {
            true => Ok(checkpoint().await?),
            false => self.wait(direction).await,
        }
    }

    /// Notes that an attempt would block.
    pub(crate) fn found_blocked(&self, direction: Direction) {
        self.entry.found_blocked(direction);
    }

    /// Notes that an attempt on a stream read or wrote less than there was room for.
    pub(crate) fn found_short(&self, direction: Direction) {
        self.entry.run.reactor.found_short(self.entry.id, direction);
    }
}

impl<T: AsFd> Drop for Source<T> {
    fn drop(&mut self) {
        self.close();
    }
}
