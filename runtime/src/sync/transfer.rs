//! Sends and receives under way.
//!
//! A message is a few dozen nanoseconds of work, in which an `async fn` that awaits a look for cancellation, a
//! yield and a parking lot would spend most of its time moving between its states. So these futures are
//! written out: each looks the run up once a poll, and goes from stage to stage in place.

use super::channel::{Place, ReceiveError, Receiver, SendError, SendFailure, Sender};
use crate::core::{
    checkpoint::{Checkpoint, CheckpointIfCancelled, Turn},
    lot::Park,
    run::{self, Run},
    wait::polled_after_its_end,
};
use std::{
    mem,
    pin::Pin,
    task::{Context, Poll, ready},
};

/// A send: [`Sender::send`].
pub(super) struct Send<'a, T: 'static> {
    sender: &'a Sender<T>,
    stage: Sending<'a, T>,
}

enum Sending<'a, T: 'static> {
    /// Looks whether it is cancelled before it begins.
    Looking(CheckpointIfCancelled, T),
    /// Has sent, and lets the others run.
    Sent(Turn),
    Parked(Park<'a, Place<T>>),
    Done,
}

impl<'a, T> Send<'a, T> {
    pub(super) fn new(sender: &'a Sender<T>, value: T) -> Send<'a, T> {
        Send { sender, stage: Sending::Looking(CheckpointIfCancelled::default(), value) }
    }

    fn begin(&mut self, value: T, run: &Run, cx: &Context<'_>) -> Poll<Result<(), SendError<T>>> {
        match self.sender.send_nowait(value) {
            Ok(()) => {
                self.stage = Sending::Sent(Turn::begin(run, cx));
            }
            Err(SendError { value, failure: SendFailure::WouldBlock }) => {
                let mut park = self.sender.shared.sending.park(Place::new(Some(value), self.sender.end));
                let _blocks = park.poll_in(run, cx);
                self.stage = Sending::Parked(park);
            }
            Err(error) => return Poll::Ready(Err(error)),
        }
        Poll::Pending
    }

    fn poll_in(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<(), SendError<T>>> {
        match &mut self.stage {
            Sending::Looking(look, _) => {
                let looked = ready!(look.poll_in(run, cx));
                let Sending::Looking(_, value) = mem::replace(&mut self.stage, Sending::Done) else {
                    unreachable!("the stage was just looked at");
                };
                match looked {
                    Ok(()) => self.begin(value, run, cx),
                    Err(cancelled) => {
                        Poll::Ready(Err(SendError { value, failure: SendFailure::Cancelled(cancelled) }))
                    }
                }
            }
            Sending::Sent(turn) => match turn.is_over(run, cx) {
                true => {
                    self.stage = Sending::Done;
                    Poll::Ready(Ok(()))
                }
                false => Poll::Pending,
            },
            Sending::Parked(park) => {
                let (place, outcome) = ready!(park.poll_in(run, cx));
                self.stage = Sending::Done;
                let Some(value) = place.value else { return Poll::Ready(Ok(())) };
                let failure = match outcome {
                    Err(cancelled) => SendFailure::Cancelled(cancelled),
                    Ok(()) if place.closed => SendFailure::Closed,
                    Ok(()) => SendFailure::Broken,
                };
                Poll::Ready(Err(SendError { value, failure }))
            }
            Sending::Done => polled_after_its_end(),
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
    stage: Receiving<'a, T>,
}

enum Receiving<'a, T: 'static> {
    /// Looks whether it is cancelled before it begins.
    Looking(CheckpointIfCancelled),
    /// Has received, and lets the others run.
    Received(Turn, T),
    Parked(Park<'a, Place<T>>),
    Done,
}

impl<'a, T> Receive<'a, T> {
    pub(super) fn new(receiver: &'a Receiver<T>) -> Receive<'a, T> {
        Receive { receiver, stage: Receiving::Looking(CheckpointIfCancelled::default()) }
    }

    fn begin(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<T, ReceiveError>> {
        match self.receiver.receive_nowait() {
            Ok(value) => {
                self.stage = Receiving::Received(Turn::begin(run, cx), value);
            }
            Err(ReceiveError::WouldBlock) => {
                let mut park = self.receiver.shared.receiving.park(Place::new(None, self.receiver.end));
                let _blocks = park.poll_in(run, cx);
                self.stage = Receiving::Parked(park);
            }
            Err(error) => {
                self.stage = Receiving::Done;
                return Poll::Ready(Err(error));
            }
        }
        Poll::Pending
    }

    fn poll_in(&mut self, run: &Run, cx: &Context<'_>) -> Poll<Result<T, ReceiveError>> {
        match &mut self.stage {
            Receiving::Looking(look) => match ready!(look.poll_in(run, cx)) {
                Ok(()) => self.begin(run, cx),
                Err(cancelled) => {
                    self.stage = Receiving::Done;
                    Poll::Ready(Err(ReceiveError::Cancelled(cancelled)))
                }
            },
            Receiving::Parked(park) => {
                let (place, outcome) = ready!(park.poll_in(run, cx));
                self.stage = Receiving::Done;
                Poll::Ready(match (place.value, outcome) {
                    (Some(value), _) => Ok(value),
                    (None, Err(cancelled)) => Err(ReceiveError::Cancelled(cancelled)),
                    (None, Ok(())) if place.closed => Err(ReceiveError::Closed),
                    (None, Ok(())) => Err(ReceiveError::EndOfChannel),
                })
            }
            Receiving::Received(turn, _) => match turn.is_over(run, cx) {
                true => match mem::replace(&mut self.stage, Receiving::Done) {
                    Receiving::Received(_, value) => Poll::Ready(Ok(value)),
                    _ => unreachable!("the stage was just looked at"),
                },
                false => Poll::Pending,
            },
            Receiving::Done => polled_after_its_end(),
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
        let value = match &mut self.stage {
            Receiving::Looking(_) | Receiving::Done => return,
            Receiving::Parked(park) => park.unclaimed().and_then(|place| place.value),
            Receiving::Received(..) => match mem::replace(&mut self.stage, Receiving::Done) {
                Receiving::Received(_, value) => Some(value),
                _ => None,
            },
        };
        if let Some(value) = value {
            self.receiver.shared.put_back(value);
        }
    }
}

/// A receive for which the end of the channel is no error: [`Receiver::next`].
pub(super) struct Next<'a, T: 'static> {
    receive: Receive<'a, T>,
    /// The channel has ended: this lets the others run all the same.
    ended: Option<Checkpoint>,
}

impl<'a, T> Next<'a, T> {
    pub(super) fn new(receiver: &'a Receiver<T>) -> Next<'a, T> {
        Next { receive: Receive::new(receiver), ended: None }
    }
}

impl<T> Future for Next<'_, T> {
    type Output = Result<Option<T>, ReceiveError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        run::with(|run| {
            if self.ended.is_none() {
                match ready!(self.receive.poll_in(run, cx)) {
                    Ok(value) => return Poll::Ready(Ok(Some(value))),
                    Err(ReceiveError::EndOfChannel) => {}
                    Err(error) => return Poll::Ready(Err(error)),
                }
            }
            let ended = self.ended.get_or_insert_default();
            ended.poll_in(run, cx).map(|outcome| outcome.map(|()| None).map_err(ReceiveError::Cancelled))
        })
    }
}
