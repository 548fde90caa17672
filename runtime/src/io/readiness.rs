//! Waiting for any file descriptor, and the sources that our own sockets are made of.
//!
//! [`wait_readable`] and its kin are for descriptors that come from elsewhere: a C library's socket,
//! a device. Sockets of this library hold a [`Source`] instead, which is entered into the reactor
//! once and tries the system call before it waits.

use super::StreamError;
#[cfg(feature = "futures-io")]
use super::polled::Polled;
use crate::{
    cancel_shielded_checkpoint, checkpoint, checkpoint_if_cancelled,
    core::{
        reactor::{Direction, Heard, SourceId},
        run::{self, Run},
    },
};
use std::{
    cell::{Cell, RefCell},
    io,
    os::fd::{AsFd, AsRawFd, RawFd},
    rc::Rc,
};

pub(super) fn busy(direction: Direction) -> StreamError {
    StreamError::Busy(match direction {
        Direction::Read => "waiting for this descriptor to become readable",
        Direction::Write => "waiting for this descriptor to become writable",
    })
}

/// A source that is let go of when dropped.
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
        // The number is that of another file now: those who wait for the old one learn it by this.
        held = Held { id: reactor.enter(&run, fd).map_err(StreamError::Io)?, run: run.clone() };
    }
    match reactor.wait_ready(&run, held.id, direction).await? {
        Heard::Ready => Ok(()),
        Heard::Closing => Err(StreamError::Closed),
        Heard::Busy => Err(busy(direction)),
    }
}

/// Blocks until a read from `fd` would not block; trio's `lowlevel.wait_readable`.
///
/// For descriptors that this library did not make; they should be in non-blocking mode. Two tasks
/// may wait for one descriptor in its two directions.
///
/// # Cancellation
/// A checkpoint. Nothing is lost.
///
/// # Errors
/// [`StreamError::Busy`] if another task waits for the same; [`StreamError::Closed`] if
/// [`notify_closing`] was called meanwhile; [`StreamError::Io`] if the system cannot wait for this
/// descriptor: it is closed, or a regular file.
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

/// Blocks until a write to `fd` would not block; trio's `lowlevel.wait_writable`. As
/// [`wait_readable`].
///
/// # Cancellation
/// A checkpoint. Nothing is lost.
///
/// # Errors
/// As [`wait_readable`].
///
/// # Panics
/// Outside a run.
pub async fn wait_writable(fd: impl AsFd) -> Result<(), StreamError> {
    wait(fd.as_fd().as_raw_fd(), Direction::Write).await
}

/// Says that `fd` will be closed now: tasks that wait for it fail with [`StreamError::Closed`].
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

/// A descriptor of our own in the reactor of its run.
pub(crate) struct Source<T: AsFd> {
    pub(super) run: Rc<Run>,
    pub(super) id: SourceId,
    closed: Cell<bool>,
    /// None once it is closed.
    inner: RefCell<Option<Rc<T>>>,
    #[cfg(feature = "futures-io")]
    pub(super) polled: [Polled; 2],
}

impl<T: AsFd> Source<T> {
    /// Enters a descriptor, which must be in non-blocking mode.
    pub(crate) fn new(inner: T) -> io::Result<Source<T>> {
        let run = run::current();
        let id = run.reactor.enter(&run, inner.as_fd().as_raw_fd())?;
        Ok(Source {
            run,
            id,
            closed: Cell::new(false),
            inner: Some(Rc::new(inner)).into(),
            #[cfg(feature = "futures-io")]
            polled: Default::default(),
        })
    }

    /// The descriptor's owner, until it is closed.
    pub(crate) fn get(&self) -> Result<Rc<T>, StreamError> {
        self.inner.borrow().clone().ok_or(StreamError::Closed)
    }

    /// Closes the descriptor: tasks that use it fail as closed. Closing again does nothing.
    pub(crate) fn close(&self) {
        if !self.closed.replace(true) {
            self.run.reactor.release(&self.run, self.id);
            // Whoever is amid a call holds it a moment longer.
            let inner = self.inner.take();
            drop(inner);
        }
    }

    /// Calls `attempt` until it does not say "would block", and waits in between.
    ///
    /// # Cancellation
    /// A checkpoint, also if the first attempt succeeds; a failure need not be one. What an attempt
    /// has done is never lost to a cancellation.
    pub(crate) async fn operate<R>(
        &self,
        direction: Direction,
        mut attempt: impl FnMut(&T) -> io::Result<R>,
    ) -> Result<R, StreamError> {
        checkpoint_if_cancelled().await?;
        let mut has_waited = false;
        loop {
            let inner = self.get()?;
            if self.run.reactor.is_ready(self.id, direction) {
                match attempt(&inner) {
                    Ok(done) => {
                        if !has_waited {
                            cancel_shielded_checkpoint().await;
                        }
                        return Ok(done);
                    }
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        self.run.reactor.found_blocked(self.id, direction);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Err(StreamError::Io(error)),
                }
            }
            drop(inner);
            self.wait(direction).await?;
            has_waited = true;
        }
    }

    /// Blocks until the system says that the descriptor is ready.
    ///
    /// # Cancellation
    /// A checkpoint.
    pub(crate) async fn wait(&self, direction: Direction) -> Result<(), StreamError> {
        #[cfg(feature = "futures-io")]
        self.polled[direction as usize].yield_to_another();
        match self.run.reactor.wait_ready(&self.run, self.id, direction).await? {
            Heard::Ready => Ok(()),
            Heard::Closing => Err(StreamError::Closed),
            Heard::Busy => Err(busy(direction)),
        }
    }

    /// Blocks until the descriptor is ready, as far as is known.
    ///
    /// # Cancellation
    /// A checkpoint.
    pub(crate) async fn ready(&self, direction: Direction) -> Result<(), StreamError> {
        match self.run.reactor.is_ready(self.id, direction) {
            true => Ok(checkpoint().await?),
            false => self.wait(direction).await,
        }
    }

    /// Notes that an attempt on a stream read or wrote less than there was room for.
    pub(crate) fn found_short(&self, direction: Direction) {
        self.run.reactor.found_short(self.id, direction);
    }
}

impl<T: AsFd> Drop for Source<T> {
    fn drop(&mut self) {
        self.close();
    }
}
