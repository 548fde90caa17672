//! Descriptors for traits whose methods are polls, such as those of `futures-io`.
//!
//! An `async fn` keeps its wait in its future; a poll has nowhere to keep it but the stream. So the
//! source keeps one wait for each direction, from the poll that has found the descriptor not ready to
//! the next poll, which begins afresh: it may come from another task, in another cancel scope. Who
//! polls last is woken. A poll is all or nothing: what it reports as received or sent is, and between
//! two polls nothing is under way, so that dropping what polls loses nothing.

use crate::{
    core::{
        block::{
            descriptor::DescriptorWait,
            reactor::{Direction, Heard},
        },
        cancel::scope::current_cancellation,
    },
    io::{FdStream, Source, StreamError, readiness::busy},
};
use std::{
    cell::{Cell, RefCell},
    io::{self, IoSlice, IoSliceMut, Read, Write},
    ops::Range,
    os::fd::AsFd,
    task::{Context, Poll, Waker},
};

/// So many polls that succeed in one tick, and the next one yields: a stream that is always ready must
/// not keep the other tasks from running.
const BURST: u32 = 32;

/// The most buffers that the system takes in one call (`IOV_MAX`).
const MOST_BUFFERS: usize = 1024;

/// Which of so many buffers to offer the system: no empty ones at first, which alone would look like the
/// end, and no more than it takes. With how many bytes there are in them.
fn offer(lengths: impl Iterator<Item = usize> + Clone) -> (Range<usize>, usize) {
    let empty = lengths.clone().take_while(|&length| length == 0).count();
    let offered = lengths.skip(empty).take(MOST_BUFFERS);
    let (count, bytes) =
        offered.fold((0, 0_usize), |(count, bytes), length| (count + 1, bytes.saturating_add(length)));
    (empty..empty + count, bytes)
}

/// What a source keeps between two polls of a direction.
#[derive(Default)]
pub(super) struct Polled {
    waiting: RefCell<Option<(DescriptorWait, Waker)>>,
    /// The tick of the last poll, and how many there were in it.
    burst: Cell<(u64, u32)>,
}

impl Polled {
    /// Ends the wait of an earlier poll. Whoever made it is woken, and hears that it is busy.
    pub(super) fn yield_to_another(&self) {
        let waiting = self.waiting.take();
        if let Some((waiting, waker)) = waiting {
            drop(waiting);
            waker.wake();
        }
    }

    /// Whether there were too many polls in this tick.
    fn is_exhausted(&self, tick: u64) -> bool {
        let (last, polls) = self.burst.get();
        let polls = if last == tick { polls + 1 } else { 1 };
        self.burst.set((tick, polls));
        polls > BURST
    }
}

impl<T: AsFd> Source<T> {
    /// [`Source::operate`] as a poll. A cancel point, and a schedule point now and then.
    pub(crate) fn poll_operate<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        mut attempt: impl FnMut(&T) -> io::Result<R>,
    ) -> Poll<Result<R, StreamError>> {
        let entry = self.entry();
        let polled = &entry.polled[direction as usize];
        let earlier = polled.waiting.take();
        drop(earlier);
        entry.run.tree.note_cancel_point();
        if let Some(cancelled) = current_cancellation(&entry.run) {
            return Poll::Ready(Err(cancelled.into()));
        }
        loop {
            let inner = self.get()?;
            if entry.is_ready(direction) {
                if polled.is_exhausted(entry.run.tree.tick.get()) {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                match attempt(&inner) {
                    Ok(done) => return Poll::Ready(Ok(done)),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        entry.found_blocked(direction);
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => return Poll::Ready(Err(StreamError::Io(error))),
                }
            }
            drop(inner);
            let waiting = match entry.run.reactor.begin_wait(&entry.run, cx, entry.id, direction) {
                Ok(waiting) => waiting,
                Err(Heard::Busy) => return Poll::Ready(Err(busy(direction))),
                Err(_) => return Poll::Ready(Err(StreamError::Closed)),
            };
            match waiting.poll(cx) {
                Poll::Pending => {
                    let waiter = (waiting, cx.waker().clone());
                    let none = polled.waiting.replace(Some(waiter));
                    drop(none);
                    return Poll::Pending;
                }
                Poll::Ready(Err(cancelled)) => return Poll::Ready(Err(cancelled.into())),
                Poll::Ready(Ok(_)) => {}
            }
        }
    }
}

impl<T: AsFd> FdStream<T>
where
    for<'a> &'a T: Read,
{
    /// Receives some bytes into the first buffers.
    pub(crate) fn poll_receive(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
    ) -> Poll<Result<usize, StreamError>> {
        let (offered, room) = offer(buffers.iter().map(|buffer| buffer.len()));
        let buffers = &mut buffers[offered];
        let read = |mut inner: &T| match &mut *buffers {
            [only] => inner.read(only),
            several => inner.read_vectored(several),
        };
        self.source.poll_operate(cx, Direction::Read, read).map_ok(|n| {
            self.found(Direction::Read, n, room);
            n
        })
    }
}

impl<T: AsFd> FdStream<T>
where
    for<'a> &'a T: Write,
{
    /// Sends as many of the bytes as go in at once.
    pub(crate) fn poll_send(
        &self,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<Result<usize, StreamError>> {
        self.open_for_sending()?;
        let (offered, length) = offer(buffers.iter().map(|buffer| buffer.len()));
        let buffers = &buffers[offered];
        let write = |mut inner: &T| match buffers {
            [only] => inner.write(only),
            several => inner.write_vectored(several),
        };
        self.source.poll_operate(cx, Direction::Write, write).map_ok(|n| {
            self.found(Direction::Write, n, length);
            n
        })
    }

    /// Ends the sending direction by `shut_down`, at once.
    pub(crate) fn send_eof_now(&self, shut_down: impl FnOnce(&T) -> io::Result<()>) -> io::Result<()> {
        let inner = self.source.get()?;
        if self.ended.replace(true) {
            return Ok(());
        }
        match shut_down(&inner) {
            // The other side is gone already: it needs no telling.
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(error),
            _ => Ok(()),
        }
    }
}
