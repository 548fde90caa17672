//! Descriptors for traits with poll methods, such as those of `futures-io`.
//!
//! An `async fn` keeps its wait in its future. A poll method can keep it only in the stream. So the source keeps
//! one wait for each direction. It keeps this wait from a poll that found the descriptor not ready until the next
//! poll. The next poll begins a new wait, because it may come from another task, in another cancel scope. The task
//! that polled last is woken. A poll is all or nothing: exactly the bytes that it reports were received or sent.
//! Between two polls no operation is under way, so dropping the future that polls loses nothing.

use crate::{
    core::{
        block::{
            descriptor_wait::DescriptorWait,
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

/// The number of polls that may succeed in one tick. The next poll then yields, because a stream that is always
/// ready must not keep the other tasks from running.
const BURST: u32 = 32;

/// The largest number of buffers that the system takes in one call (`IOV_MAX`).
const MOST_BUFFERS: usize = 1024;

/// Which of the buffers are offered to the system, and how many bytes they hold. Empty buffers at the start are
/// left out, because a call with only empty buffers would look like the end. No more buffers are offered than the
/// system takes.
fn offer(lengths: impl Iterator<Item = usize> + Clone) -> (Range<usize>, usize) {
    let empty = lengths.clone().take_while(|&length| length == 0).count();
    let offered = lengths.skip(empty).take(MOST_BUFFERS);
    let (count, bytes) =
        offered.fold((0, 0_usize), |(count, bytes), length| (count + 1, bytes.saturating_add(length)));
    (empty..empty + count, bytes)
}

/// The state that a source keeps between two polls of a direction.
#[derive(Default)]
pub(super) struct Polled {
    waiting: RefCell<Option<(DescriptorWait, Waker)>>,
    burst: Burst,
}

/// Counts polls that may succeed.
#[derive(Default)]
pub(super) struct Burst {
    /// The tick of the last poll, and the number of polls in that tick.
    last: Cell<(u64, u32)>,
}

impl Burst {
    /// Counts a poll. Returns whether there were too many of them in this tick.
    pub(super) fn is_exhausted(&self, tick: u64) -> bool {
        let (last, polls) = self.last.get();
        let polls = if last == tick { polls + 1 } else { 1 };
        self.last.set((tick, polls));
        polls > BURST
    }
}

impl Polled {
    /// Ends the wait of an earlier poll. Its task is woken, and its next poll reports that the stream is busy.
    pub(super) fn yield_to_another(&self) {
        let waiting = self.waiting.take();
        if let Some((waiting, waker)) = waiting {
            drop(waiting);
            waker.wake();
        }
    }
}

impl<T: AsFd> Source<T> {
    /// [`Source::operate`] as a poll. It is a cancel point on every call, and a schedule point on some calls.
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
                if polled.burst.is_exhausted(entry.run.tree.tick.get()) {
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
    /// Receives some bytes into the buffers, from the first buffer on.
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
    /// Sends as many of the bytes as possible at once.
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
            // The other side is gone already and need not be told.
            Err(error) if error.kind() != io::ErrorKind::NotConnected => Err(error),
            _ => Ok(()),
        }
    }
}
