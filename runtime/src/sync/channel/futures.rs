//! Sends and receives under way.
//!
//! A message takes a few dozen nanoseconds. If these futures were an `async fn` that awaits a look for cancellation,
//! a yield and a wait queue, most of that time would go into moves between its states. So they are structs. Each
//! looks up the run once in a poll, and changes its stage in place.

use crate::{
    ReceiveError, Receiver, SendError, SendFailure, Sender,
    core::{
        block::wait_queue::Parked,
        cancel::checkpoint::{CheckpointIfCancelled, Turn},
        misuse::polled_after_its_end,
        run,
        run::Run,
    },
    sync::channel::state::{Given, WaiterSlot},
};
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

/// A send: [`Sender::send`].
pub(super) struct Send<'a, T: 'static> {
    sender: &'a Sender<T>,
    stage: TransferStage,
    /// Checks whether the task is cancelled before it begins.
    look: CheckpointIfCancelled,
    /// `None` once the send has begun.
    value: Option<T>,
    parked: Option<Parked<'a, WaiterSlot<T>>>,
}

/// The stage of a send or a receive. It has nothing to drop, so changing the stage costs nothing.
#[derive(Clone, Copy)]
enum TransferStage {
    /// Checks whether the task is cancelled.
    Looking,
    /// Has done its work, and lets other tasks run.
    Yielding(Turn),
    Parked,
    Done,
}

impl<'a, T> Send<'a, T> {
    pub(super) fn new(sender: &'a Sender<T>, value: T) -> Send<'a, T> {
        let look = CheckpointIfCancelled::default();
        Send { sender, stage: TransferStage::Looking, look, value: Some(value), parked: None }
    }

    fn begin(&mut self, value: T, run: &Run, cx: &Context<'_>) -> Poll<Result<(), SendError<T>>> {
        match self.sender.send_nowait(value) {
            Ok(()) => match Turn::after_success(run, cx) {
                Some(turn) => self.stage = TransferStage::Yielding(turn),
                None => return self.done(Ok(())),
            },
            Err(SendError { value, failure: SendFailure::WouldBlock }) => {
                let place = WaiterSlot::new(Some(value), self.sender.end);
                self.parked = Some(self.sender.shared.sending.park_now(place, run, cx));
                self.stage = TransferStage::Parked;
            }
            Err(error) => return self.done(Err(error)),
        }
        Poll::Pending
    }

    fn done(&mut self, outcome: Result<(), SendError<T>>) -> Poll<Result<(), SendError<T>>> {
        self.stage = TransferStage::Done;
        Poll::Ready(outcome)
    }

    fn poll_in(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), SendError<T>>> {
        match (&mut self.stage, &mut self.parked) {
            (TransferStage::Looking, _) => {
                let looked = ready!(self.look.poll_in(run, cx));
                let Some(value) = self.value.take() else { polled_after_its_end() };
                match looked {
                    Ok(()) => self.begin(value, run, cx),
                    Err(cancelled) => {
                        self.done(Err(SendError { value, failure: SendFailure::Cancelled(cancelled) }))
                    }
                }
            }
            (TransferStage::Yielding(turn), _) => match turn.is_over(run, cx) {
                true => self.done(Ok(())),
                false => Poll::Pending,
            },
            (TransferStage::Parked, Some(parked)) => {
                let (place, outcome) = ready!(parked.poll(run, cx));
                self.parked = None;
                self.done(place.sent(outcome))
            }
            (TransferStage::Parked, None) | (TransferStage::Done, _) => polled_after_its_end(),
        }
    }
}

// No part of it is pinned.
impl<T> Unpin for Send<'_, T> {}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        run::with(|run| self.poll_in(run, cx))
    }
}

/// A receive: [`Receiver::receive`]. It loses nothing when it is dropped.
pub(super) struct Receive<'a, T: 'static> {
    receiver: &'a Receiver<T>,
    stage: TransferStage,
    /// Checks whether the task is cancelled before it begins.
    look: CheckpointIfCancelled,
    /// The received value, while other tasks run.
    given: Option<Given<T>>,
    parked: Option<Parked<'a, WaiterSlot<Given<T>>>>,
}

impl<'a, T> Receive<'a, T> {
    pub(super) fn new(receiver: &'a Receiver<T>) -> Receive<'a, T> {
        let look = CheckpointIfCancelled::default();
        Receive { receiver, stage: TransferStage::Looking, look, given: None, parked: None }
    }

    fn begin(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<T, ReceiveError>> {
        match self.receiver.take() {
            Ok(given) => match Turn::after_success(run, cx) {
                Some(turn) => {
                    self.given = Some(given);
                    self.stage = TransferStage::Yielding(turn);
                }
                None => return self.done(Ok(given.value)),
            },
            Err(ReceiveError::WouldBlock) => {
                let place = WaiterSlot::new(None, self.receiver.end);
                self.parked = Some(self.receiver.shared.receiving.park_now(place, run, cx));
                self.stage = TransferStage::Parked;
            }
            Err(error) => return self.done(Err(error)),
        }
        Poll::Pending
    }

    fn done(&mut self, outcome: Result<T, ReceiveError>) -> Poll<Result<T, ReceiveError>> {
        self.stage = TransferStage::Done;
        Poll::Ready(outcome)
    }

    fn poll_in(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<T, ReceiveError>> {
        match (&mut self.stage, &mut self.parked) {
            (TransferStage::Looking, _) => match ready!(self.look.poll_in(run, cx)) {
                Ok(()) => self.begin(run, cx),
                Err(cancelled) => self.done(Err(ReceiveError::Cancelled(cancelled))),
            },
            (TransferStage::Yielding(turn), _) => match turn.is_over(run, cx) {
                true => match self.given.take() {
                    Some(given) => self.done(Ok(given.value)),
                    None => polled_after_its_end(),
                },
                false => Poll::Pending,
            },
            (TransferStage::Parked, Some(parked)) => {
                let (place, outcome) = ready!(parked.poll(run, cx));
                self.parked = None;
                self.done(match (place.value, outcome) {
                    (Some(given), _) => Ok(given.value),
                    (None, Err(cancelled)) => Err(ReceiveError::Cancelled(cancelled)),
                    (None, Ok(())) if place.closed => Err(ReceiveError::Closed),
                    (None, Ok(())) => Err(ReceiveError::EndOfChannel),
                })
            }
            (TransferStage::Parked, None) | (TransferStage::Done, _) => polled_after_its_end(),
        }
    }
}

// No part of it is pinned.
impl<T> Unpin for Receive<'_, T> {}

impl<T> Future for Receive<'_, T> {
    type Output = Result<T, ReceiveError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        run::with(|run| self.poll_in(run, cx))
    }
}

impl<T> Drop for Receive<'_, T> {
    fn drop(&mut self) {
        let unclaimed = || self.parked.as_mut()?.unclaimed()?.value;
        if let Some(given) = self.given.take().or_else(unclaimed) {
            self.receiver.shared.put_back(given);
        }
    }
}

/// A receive for which the end of the channel is no error: [`Receiver::next`].
pub(super) struct Next<'a, T: 'static>(Receive<'a, T>);

impl<'a, T> Next<'a, T> {
    pub(super) fn new(receiver: &'a Receiver<T>) -> Next<'a, T> {
        Next(Receive::new(receiver))
    }
}

impl<T> Future for Next<'_, T> {
    type Output = Result<Option<T>, ReceiveError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx).map(|received| match received {
            Ok(value) => Ok(Some(value)),
            Err(ReceiveError::EndOfChannel) => Ok(None),
            Err(error) => Err(error),
        })
    }
}
