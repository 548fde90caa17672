//! The part of the language about broadcast channels, watched values, one-shots and batches.

use super::program::Parts;
use terzetto::sync::SlowReceiver;

/// A broadcast channel of a program.
#[derive(Debug)]
pub struct BroadcastSpec {
    /// How many values it buffers.
    pub capacity: usize,
    /// What happens if that is not enough.
    pub slow: SlowReceiver,
    /// How many receiving ends it has.
    pub receivers: usize,
}

impl BroadcastSpec {
    pub(super) fn parse(parts: &Parts<'_>) -> Option<BroadcastSpec> {
        let slow = match parts.text(1)? {
            "wait" => SlowReceiver::Wait,
            "lag" => SlowReceiver::Lag,
            "disconnect" => SlowReceiver::Disconnect,
            _ => return None,
        };
        Some(BroadcastSpec { capacity: parts.index(0)?, slow, receivers: parts.index(2)? })
    }
}

/// What such a statement does; the README of the language describes each.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is documented with the language")]
pub enum MessageAction {
    Broadcast(usize, i64),
    BroadcastNowait(usize, i64),
    Hear(usize, usize),
    CloseBroadcast(usize),
    CloseHearing(usize, usize),
    WatchSet(usize, i64),
    WatchValue(usize, i64),
    WatchFall(usize),
    WatchAll(usize, usize),
    OneshotSend(usize, i64),
    OneshotReceive(usize),
    OneshotDrop(usize),
    SendMany(usize, Vec<i64>),
    ReceiveMany(usize, usize),
}

impl MessageAction {
    pub(super) fn parse(word: &str, parts: &Parts<'_>) -> Option<MessageAction> {
        Some(match word {
            "broadcast" => MessageAction::Broadcast(parts.index(1)?, parts.integer(2)?),
            "broadcast_nowait" => MessageAction::BroadcastNowait(parts.index(1)?, parts.integer(2)?),
            "hear" => MessageAction::Hear(parts.index(1)?, parts.index(2)?),
            "close_broadcast" => MessageAction::CloseBroadcast(parts.index(1)?),
            "close_hearing" => MessageAction::CloseHearing(parts.index(1)?, parts.index(2)?),
            "watch_set" => MessageAction::WatchSet(parts.index(1)?, parts.integer(2)?),
            "watch_value" => MessageAction::WatchValue(parts.index(1)?, parts.integer(2)?),
            "watch_fall" => MessageAction::WatchFall(parts.index(1)?),
            "watch_all" => MessageAction::WatchAll(parts.index(1)?, parts.index(2)?),
            "oneshot_send" => MessageAction::OneshotSend(parts.index(1)?, parts.integer(2)?),
            "oneshot_receive" => MessageAction::OneshotReceive(parts.index(1)?),
            "oneshot_drop" => MessageAction::OneshotDrop(parts.index(1)?),
            "send_many" => {
                let values = parts.values(2)?.iter().map(serde_json::Value::as_i64);
                MessageAction::SendMany(parts.index(1)?, values.collect::<Option<_>>()?)
            }
            "receive_many" => MessageAction::ReceiveMany(parts.index(1)?, parts.index(2)?),
            _ => return None,
        })
    }
}
