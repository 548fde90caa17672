//! Broadcast channels, watched values, one-shots and batches.

use super::{
    interpret::Task,
    message_words::{BroadcastSpec, MessageAction},
};
use serde_json::{Value, json};
use std::cell::RefCell;
use terzetto::{
    Error, ReceiveError, SendError, SendFailure,
    sync::{
        BroadcastReceiveError, BroadcastReceiver, BroadcastSender, OneshotReceiver, OneshotSender, Watch,
        broadcast, oneshot,
    },
};

/// A broadcast channel with all its receiving ends.
pub(super) struct Broadcast {
    sender: BroadcastSender<i64>,
    receivers: Vec<BroadcastReceiver<i64>>,
}

impl Broadcast {
    pub(super) fn new(spec: &BroadcastSpec) -> Broadcast {
        let (sender, first) = broadcast(spec.capacity, spec.slow);
        let others = (1..spec.receivers).map(|_| sender.subscribe());
        let receivers = std::iter::once(first).chain(others).collect();
        Broadcast { sender, receivers }
    }
}

/// A one-shot whose sending end is used up at some time.
pub(super) struct Oneshot {
    sender: RefCell<Option<OneshotSender<i64>>>,
    receiver: OneshotReceiver<i64>,
}

impl Oneshot {
    pub(super) fn new() -> Oneshot {
        let (sender, receiver) = oneshot();
        Oneshot { sender: RefCell::new(Some(sender)), receiver }
    }
}

/// What the statement says of a send.
fn sent<T>(outcome: Result<(), SendError<T>>) -> Result<Value, Error>
where
    SendError<T>: Into<Error>,
{
    let Err(error) = outcome else { return Ok(json!("ok")) };
    Ok(json!(match error.failure() {
        SendFailure::Closed => "closed",
        SendFailure::Broken => "broken",
        SendFailure::WouldBlock => "would_block",
        _ => return Err(error.into()),
    }))
}

impl<'i: 's, 's> Task<'i, 's> {
    pub(super) async fn message_action(&self, action: &'i MessageAction) -> Result<Value, Error> {
        let objects = self.objects;
        match action {
            MessageAction::Broadcast(number, value) => {
                return sent(objects.broadcasts[*number].sender.send(*value).await);
            }
            MessageAction::BroadcastNowait(number, value) => {
                return sent(objects.broadcasts[*number].sender.send_nowait(*value));
            }
            MessageAction::Hear(number, receiver) => {
                return Ok(match objects.broadcasts[*number].receivers[*receiver].receive().await {
                    Ok(value) => json!(["value", value]),
                    Err(BroadcastReceiveError::Lagged(missed)) => json!(["lagged", missed]),
                    Err(BroadcastReceiveError::Disconnected) => json!("disconnected"),
                    Err(BroadcastReceiveError::EndOfChannel) => json!("end"),
                    Err(BroadcastReceiveError::Closed) => json!("closed"),
                    Err(error) => return Err(error.into()),
                });
            }
            MessageAction::CloseBroadcast(number) => objects.broadcasts[*number].sender.close(),
            MessageAction::CloseHearing(number, receiver) => {
                objects.broadcasts[*number].receivers[*receiver].close();
            }
            MessageAction::WatchSet(number, value) => objects.watched[*number].set(*value),
            MessageAction::WatchValue(number, least) => {
                let least = *least;
                let value = objects.watched[*number].wait_value(move |&value| value >= least).await?;
                return Ok(json!(["value", value]));
            }
            MessageAction::WatchFall(number) => {
                let watched: &Watch<i64> = &objects.watched[*number];
                let (value, former) = watched.wait_transition(|value, former| value < former).await?;
                return Ok(json!(["change", value, former]));
            }
            MessageAction::WatchAll(number, count) => {
                let mut values = objects.watched[*number].eventual_values();
                for _ in 0..*count {
                    let value = values.next().await?;
                    self.note("seen", json!(["value", value]));
                }
            }
            MessageAction::OneshotSend(number, value) => {
                let sender = objects.oneshots[*number].sender.take();
                let Some(sender) = sender else { return Ok(json!("misuse")) };
                sender.send(*value)?;
            }
            MessageAction::OneshotReceive(number) => {
                return match objects.oneshots[*number].receiver.receive().await {
                    Ok(value) => Ok(json!(["value", value])),
                    Err(ReceiveError::EndOfChannel) => Ok(json!("end")),
                    Err(error) => Err(error.into()),
                };
            }
            MessageAction::OneshotDrop(number) => drop(objects.oneshots[*number].sender.take()),
            MessageAction::SendMany(number, values) => {
                let outcome = objects.channels[*number].0.send_many(values.clone()).await;
                let Err(error) = outcome else { return Ok(json!("ok")) };
                let (left, failure) = error.into_parts();
                let sent = values.len() - left.len();
                return match failure {
                    SendFailure::Closed => Ok(json!(["closed", sent])),
                    SendFailure::Broken => Ok(json!(["broken", sent])),
                    SendFailure::Cancelled(cancelled) => {
                        self.note("sent", json!(["value", sent]));
                        Err(cancelled.into())
                    }
                    failure => Err(Error::msg(format!("unforeseen: {failure:?}"))),
                };
            }
            MessageAction::ReceiveMany(number, limit) => {
                return match objects.channels[*number].1.receive_many(*limit).await {
                    Ok(values) => Ok(json!(["value", values])),
                    Err(ReceiveError::EndOfChannel) => Ok(json!("end")),
                    Err(ReceiveError::Closed) => Ok(json!("closed")),
                    Err(error) => Err(error.into()),
                };
            }
        }
        Ok(json!("ok"))
    }
}
