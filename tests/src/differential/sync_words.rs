//! The language: statements about what tasks share, beyond the core.

use super::program::{Block, Parts};

/// What such a statement does; the README of the language describes each.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is documented with the language")]
pub enum SyncAction {
    CloseSend(usize),
    CloseReceive(usize),
    Put(usize, i64),
    Get(usize),
    Park(usize),
    Unpark(usize, Option<usize>),
    Repark(usize, usize, Option<usize>),
    BreakLot(usize),
    WithFor(usize, i64, Block),
    BorrowNowait(usize, i64),
    ReleaseFor(usize, i64),
    SetTokens(usize, usize),
    StreamSend(usize, usize),
    StreamReceive(usize, usize),
    StreamClose(usize, usize),
    ContextSet(usize, i64),
    ContextGet(usize),
    StartedFor(String, i64),
    CancelWith(usize, Option<String>),
    SetTimeout(usize, f64),
    EffectiveDeadline,
}

impl SyncAction {
    pub(super) fn parse(word: &str, parts: &Parts<'_>) -> Option<SyncAction> {
        Some(match word {
            "close_send" => SyncAction::CloseSend(parts.index(1)?),
            "close_receive" => SyncAction::CloseReceive(parts.index(1)?),
            "put" => SyncAction::Put(parts.index(1)?, parts.integer(2)?),
            "get" => SyncAction::Get(parts.index(1)?),
            "park" => SyncAction::Park(parts.index(1)?),
            "unpark" => SyncAction::Unpark(parts.index(1)?, parts.or_null(2, Parts::index)?),
            "repark" => SyncAction::Repark(parts.index(1)?, parts.index(2)?, parts.or_null(3, Parts::index)?),
            "break_lot" => SyncAction::BreakLot(parts.index(1)?),
            "with_for" => SyncAction::WithFor(parts.index(1)?, parts.integer(2)?, parts.block(3)?),
            "borrow_nowait" => SyncAction::BorrowNowait(parts.index(1)?, parts.integer(2)?),
            "release_for" => SyncAction::ReleaseFor(parts.index(1)?, parts.integer(2)?),
            "set_tokens" => SyncAction::SetTokens(parts.index(1)?, parts.index(2)?),
            "stream_send" => SyncAction::StreamSend(parts.index(1)?, parts.index(2)?),
            "stream_receive" => SyncAction::StreamReceive(parts.index(1)?, parts.index(2)?),
            "stream_close" => SyncAction::StreamClose(parts.index(1)?, parts.index(2)?),
            "context_set" => SyncAction::ContextSet(parts.index(1)?, parts.integer(2)?),
            "context_get" => SyncAction::ContextGet(parts.index(1)?),
            "started_for" => SyncAction::StartedFor(parts.name(1)?, parts.integer(2)?),
            "cancel_with" => SyncAction::CancelWith(parts.index(1)?, parts.or_null(2, Parts::name)?),
            "set_timeout" => SyncAction::SetTimeout(parts.index(1)?, parts.seconds(2)?),
            "effective_deadline" => SyncAction::EffectiveDeadline,
            _ => return None,
        })
    }
}
