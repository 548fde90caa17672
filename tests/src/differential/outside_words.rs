//! The language: statements that reach beyond the tasks of a program, and what threads do.

use super::program::{Block, Parts, Statement};
use serde_json::Value;
use std::sync::Arc;

/// What such a statement does; the README of the language describes each.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is documented with the language")]
pub enum OutsideAction {
    Producer { name: String, makes: Vec<Making>, takes: Block },
    Take,
    System(String, Arc<Block>),
    Interrupt,
    Signals(Block),
    RaiseSignal,
    NextSignal,
    Process { code: i64, check: bool },
    ProcessForever(Block),
    Thread { name: String, abandon: bool, block: Arc<Vec<ThreadStatement>> },
    OpenGate(usize),
}

/// A statement of a producer.
#[derive(Debug)]
pub enum Making {
    /// Yields a value.
    Yield(i64),
    /// Does something else: a block of one statement.
    Do(Block),
}

/// A statement of a thread: its word, and what it does.
#[derive(Debug)]
pub struct ThreadStatement {
    pub(super) word: String,
    pub(super) action: ThreadAction,
}

#[derive(Debug)]
pub(super) enum ThreadAction {
    Gate(usize),
    CheckCancelled,
    Raise(String),
    ContextSet(usize, i64),
    ContextGet(usize),
    FromSync(Arc<Statement>),
    FromRun(Arc<Block>),
}

impl OutsideAction {
    pub(super) fn parse(word: &str, parts: &Parts<'_>) -> Option<OutsideAction> {
        Some(match word {
            "producer" => OutsideAction::Producer {
                name: parts.name(1)?,
                makes: parts.values(2)?.iter().map(Making::parse).collect::<Option<_>>()?,
                takes: parts.block(3)?,
            },
            "take" => OutsideAction::Take,
            "system" => OutsideAction::System(parts.name(1)?, Arc::new(parts.block(2)?)),
            "interrupt" => OutsideAction::Interrupt,
            "signals" => OutsideAction::Signals(parts.block(1)?),
            "raise_signal" => OutsideAction::RaiseSignal,
            "next_signal" => OutsideAction::NextSignal,
            "process" => OutsideAction::Process { code: parts.integer(1)?, check: parts.flag(2)? },
            "process_forever" => OutsideAction::ProcessForever(parts.block(1)?),
            "thread" => OutsideAction::Thread {
                name: parts.name(1)?,
                abandon: parts.flag(2)?,
                block: Arc::new(parts.values(3)?.iter().map(ThreadStatement::parse).collect::<Option<_>>()?),
            },
            "open_gate" => OutsideAction::OpenGate(parts.index(1)?),
            _ => return None,
        })
    }
}

impl Making {
    fn parse(value: &Value) -> Option<Making> {
        let parts = Parts::of(value)?;
        if parts.text(0)? == "yield" {
            return Some(Making::Yield(parts.integer(1)?));
        }
        Some(Making::Do(vec![Statement::parse(value)?]))
    }
}

impl ThreadStatement {
    fn parse(value: &Value) -> Option<ThreadStatement> {
        let parts = Parts::of(value)?;
        let word = parts.name(0)?;
        let action = match word.as_str() {
            "gate" => ThreadAction::Gate(parts.index(1)?),
            "check_cancelled" => ThreadAction::CheckCancelled,
            "raise" => ThreadAction::Raise(parts.name(1)?),
            "context_set" => ThreadAction::ContextSet(parts.index(1)?, parts.integer(2)?),
            "context_get" => ThreadAction::ContextGet(parts.index(1)?),
            "from_sync" => ThreadAction::FromSync(Arc::new(parts.statement(1)?)),
            "from_run" => ThreadAction::FromRun(Arc::new(parts.block(1)?)),
            _ => return None,
        };
        Some(ThreadStatement { word, action })
    }
}
