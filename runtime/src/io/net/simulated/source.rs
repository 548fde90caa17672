//! A simulated socket with checkpoints and waits: the counterpart of [`Source`](crate::io::Source).

use crate::{
    checkpoint,
    core::{block::reactor::Direction, cancel::checkpoint::TurnAfterSuccess, run},
    io::{StreamError, net::simulated::SimulatedSocket},
    lowlevel::checkpoint_if_cancelled,
};
#[cfg(feature = "futures-io")]
use crate::{
    core::cancel::scope::current_cancellation,
    io::{net::simulated::side::SideWait, polled::Burst},
};
use socket2::SockRef;
#[cfg(feature = "futures-io")]
use std::task::{Context, Waker};
use std::{
    cell::{Cell, OnceCell, RefCell},
    future::poll_fn,
    io::{self, ErrorKind},
    rc::Rc,
    task::Poll,
};

/// The wait that a poll method leaves between two polls, and the burst of polls that succeed.
#[cfg(feature = "futures-io")]
#[derive(Default)]
struct Polled {
    waiting: RefCell<Option<(SideWait, Waker)>>,
    burst: Burst,
}

/// A simulated socket, until it is closed. Dropping this closes it.
pub(crate) struct SimulatedSource<S: SimulatedSocket + ?Sized> {
    socket: Rc<S>,
    closed: Cell<bool>,
    /// A socket of the system that is connected to nothing. It remembers the options that the program sets.
    options: OnceCell<RefCell<socket2::Socket>>,
    #[cfg(feature = "futures-io")]
    polled: [Polled; 2],
}

impl<S: SimulatedSocket + ?Sized> SimulatedSource<S> {
    pub(crate) fn new(socket: Rc<S>) -> SimulatedSource<S> {
        SimulatedSource {
            socket,
            closed: Cell::new(false),
            options: OnceCell::new(),
            #[cfg(feature = "futures-io")]
            polled: Default::default(),
        }
    }

    /// The socket, until it is closed.
    pub(crate) fn get(&self) -> Result<&S, StreamError> {
        match self.closed.get() {
            true => Err(StreamError::Closed),
            false => Ok(&self.socket),
        }
    }

    /// Closes at once. Tasks that use it fail as closed. Closing again does nothing.
    pub(crate) fn close_now(&self) {
        if !self.closed.replace(true) {
            self.socket.close();
            self.socket.side(Direction::Read).wake();
            self.socket.side(Direction::Write).wake();
        }
    }

    /// Closes. A checkpoint. If it is cancelled, the socket is closed, too.
    pub(crate) async fn close(&self) -> Result<(), StreamError> {
        self.close_now();
        Ok(checkpoint().await?)
    }

    /// Calls `attempt` until it does not fail with "would block", and waits between the attempts.
    ///
    /// # Cancellation
    /// A checkpoint, even if the first attempt succeeds. The result of an attempt is never lost.
    pub(crate) async fn operate<R>(
        &self,
        direction: Direction,
        mut attempt: impl FnMut(&S) -> io::Result<R>,
    ) -> Result<R, StreamError> {
        checkpoint_if_cancelled().await?;
        if self.get()?.is_ready(direction) {
            // Before the attempt and not after it, so that dropping the future loses no result.
            TurnAfterSuccess::default().await;
        }
        loop {
            match attempt(self.get()?) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.wait(direction).await?,
                outcome => return outcome.map_err(StreamError::Io),
            }
        }
    }

    /// Blocks until the network says that the direction is ready, or the socket is closed.
    ///
    /// # Cancellation
    /// A checkpoint.
    pub(crate) async fn wait(&self, direction: Direction) -> Result<(), StreamError> {
        #[cfg(feature = "futures-io")]
        self.end_polled_wait(direction);
        let side = self.get()?.side(direction).clone();
        let mut waiting = None;
        poll_fn(|cx| match &waiting {
            None => {
                waiting = run::with(|run| side.begin_wait(run, cx));
                match waiting {
                    Some(_) => Poll::Pending,
                    None => Poll::Ready(Err(busy(direction))),
                }
            }
            Some(waiting) => waiting.poll(cx).map_err(StreamError::Cancelled),
        })
        .await
    }

    /// Blocks until the direction is ready.
    ///
    /// # Cancellation
    /// A checkpoint.
    pub(crate) async fn ready(&self, direction: Direction) -> Result<(), StreamError> {
        if self.get()?.is_ready(direction) {
            checkpoint().await?;
        }
        while !self.get()?.is_ready(direction) {
            self.wait(direction).await?;
        }
        Ok(())
    }

    /// Calls `inside` with a socket of the system that only remembers options.
    pub(crate) fn with_options<R>(
        &self,
        make: impl FnOnce() -> io::Result<socket2::Socket>,
        inside: impl FnOnce(&SockRef<'_>) -> io::Result<R>,
    ) -> Result<R, StreamError> {
        self.get()?;
        if self.options.get().is_none() {
            let _first = self.options.set(RefCell::new(make().map_err(StreamError::Io)?));
        }
        match self.options.get() {
            Some(options) => inside(&SockRef::from(&*options.borrow())).map_err(StreamError::Io),
            None => Err(StreamError::Closed),
        }
    }
}

#[cfg(feature = "futures-io")]
impl<S: SimulatedSocket + ?Sized> SimulatedSource<S> {
    /// Ends the wait of an earlier poll. Its task is woken, and its next poll reports that the socket is busy.
    fn end_polled_wait(&self, direction: Direction) {
        let waiting = self.polled[direction as usize].waiting.take();
        if let Some((waiting, waker)) = waiting {
            drop(waiting);
            waker.wake();
        }
    }

    /// [`SimulatedSource::operate`] as a poll: see [`Source::poll_operate`](crate::io::Source).
    pub(crate) fn poll_operate<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut attempt: impl FnMut(&S) -> io::Result<R>,
    ) -> Poll<Result<R, StreamError>> {
        let polled = &self.polled[direction as usize];
        let earlier = polled.waiting.take();
        drop(earlier);
        run::with(|run| {
            run.tree.note_cancel_point();
            if let Some(cancelled) = current_cancellation(run) {
                return Poll::Ready(Err(cancelled.into()));
            }
            let socket = self.get()?;
            if socket.is_ready(direction) {
                if polled.burst.is_exhausted(run.tree.tick.get()) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                match attempt(socket) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                    outcome => return Poll::Ready(outcome.map_err(StreamError::Io)),
                }
            }
            let Some(waiting) = socket.side(direction).begin_wait(run, cx) else {
                return Poll::Ready(Err(busy(direction)));
            };
            match waiting.poll(cx) {
                Poll::Pending => {
                    let none = polled.waiting.replace(Some((waiting, cx.waker().clone())));
                    drop(none);
                    Poll::Pending
                }
                Poll::Ready(Err(cancelled)) => Poll::Ready(Err(cancelled.into())),
                Poll::Ready(Ok(())) => {
                    cx.waker().wake_by_ref();
                    Poll::Pending
                }
            }
        })
    }
}

fn busy(direction: Direction) -> StreamError {
    StreamError::Busy(match direction {
        Direction::Read => "waiting for this socket to become readable",
        Direction::Write => "waiting for this socket to become writable",
    })
}

impl<S: SimulatedSocket + ?Sized> Drop for SimulatedSource<S> {
    fn drop(&mut self) {
        self.close_now();
    }
}
