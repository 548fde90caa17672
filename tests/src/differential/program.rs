//! The language: what a program may say.

use serde_json::Value;

/// A whole program.
#[derive(Debug)]
pub struct Program {
    /// How many cancel scopes it uses.
    pub scopes: usize,
    /// How many events.
    pub events: usize,
    /// How many locks.
    pub locks: usize,
    /// How many conditions.
    pub conditions: usize,
    /// The first value of each semaphore.
    pub semaphores: Vec<usize>,
    /// The tokens of each limiter.
    pub limiters: Vec<usize>,
    /// The capacity of each channel.
    pub channels: Vec<usize>,
    /// What the main task does.
    pub main: Vec<Statement>,
}

/// A block of statements.
pub type Block = Vec<Statement>;

/// What is acquired by a `with` statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A `Lock`.
    Lock,
    /// A `Semaphore`.
    Semaphore,
    /// A `CapacityLimiter`.
    Limiter,
}

/// One statement; the README of the language says what each does.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is documented with the language")]
pub enum Statement {
    Sleep(f64),
    SleepForever,
    Checkpoint,
    CheckpointIfCancelled,
    ShieldedCheckpoint,
    Scope { number: usize, absolute: bool, seconds: f64, shield: bool, block: Block },
    Cancel(usize),
    SetDeadline(usize, f64),
    SetShield(usize, bool),
    Nursery(u64, Block),
    Spawn(u64, String, Block),
    Start(u64, String, Block),
    Started(i64),
    CancelNursery(u64),
    EventSet(usize),
    EventWait(usize),
    With(Kind, usize, Block),
    Release(Kind, usize),
    Condition(usize, Block),
    CondWait(usize),
    Notify(usize, usize),
    Send(usize, i64),
    Receive(usize),
    SendNowait(usize, i64),
    ReceiveNowait(usize),
    Raise(String),
    Try(Block, Block),
    Catch(Block),
}

impl Program {
    /// Reads a program; `None` if it is not well formed.
    pub fn parse(value: &Value) -> Option<Program> {
        let number = |name: &str| value.get(name)?.as_u64().map(|n| n as usize);
        let numbers = |name: &str| -> Option<Vec<usize>> {
            value.get(name)?.as_array()?.iter().map(|n| n.as_u64().map(|n| n as usize)).collect()
        };
        Some(Program {
            scopes: number("scopes")?,
            events: number("events")?,
            locks: number("locks")?,
            conditions: number("conditions")?,
            semaphores: numbers("semaphores")?,
            limiters: numbers("limiters")?,
            channels: numbers("channels")?,
            main: block(value.get("main")?)?,
        })
    }
}

fn block(value: &Value) -> Option<Block> {
    value.as_array()?.iter().map(Statement::parse).collect()
}

impl Statement {
    /// The word that stands for the statement in a program and in a trace.
    pub fn word(&self) -> &'static str {
        match self {
            Statement::Sleep(_) => "sleep",
            Statement::SleepForever => "sleep_forever",
            Statement::Checkpoint => "checkpoint",
            Statement::CheckpointIfCancelled => "checkpoint_if_cancelled",
            Statement::ShieldedCheckpoint => "shielded_checkpoint",
            Statement::Scope { .. } => "scope",
            Statement::Cancel(_) => "cancel",
            Statement::SetDeadline(..) => "set_deadline",
            Statement::SetShield(..) => "set_shield",
            Statement::Nursery(..) => "nursery",
            Statement::Spawn(..) => "spawn",
            Statement::Start(..) => "start",
            Statement::Started(_) => "started",
            Statement::CancelNursery(_) => "cancel_nursery",
            Statement::EventSet(_) => "event_set",
            Statement::EventWait(_) => "event_wait",
            Statement::With(..) => "with",
            Statement::Release(..) => "release",
            Statement::Condition(..) => "condition",
            Statement::CondWait(_) => "cond_wait",
            Statement::Notify(..) => "notify",
            Statement::Send(..) => "send",
            Statement::Receive(_) => "receive",
            Statement::SendNowait(..) => "send_nowait",
            Statement::ReceiveNowait(_) => "receive_nowait",
            Statement::Raise(_) => "raise",
            Statement::Try(..) => "try",
            Statement::Catch(_) => "catch",
        }
    }

    fn parse(value: &Value) -> Option<Statement> {
        let parts = value.as_array()?;
        let number = |i: usize| parts.get(i)?.as_u64();
        let index = |i: usize| number(i).map(|n| n as usize);
        let integer = |i: usize| parts.get(i)?.as_i64();
        let seconds = |i: usize| parts.get(i)?.as_f64();
        let text = |i: usize| parts.get(i)?.as_str();
        let inside = |i: usize| block(parts.get(i)?);
        let kind = |i: usize| match text(i)? {
            "lock" => Some(Kind::Lock),
            "semaphore" => Some(Kind::Semaphore),
            "limiter" => Some(Kind::Limiter),
            _ => None,
        };
        Some(match text(0)? {
            "sleep" => Statement::Sleep(seconds(1)?),
            "sleep_forever" => Statement::SleepForever,
            "checkpoint" => Statement::Checkpoint,
            "checkpoint_if_cancelled" => Statement::CheckpointIfCancelled,
            "shielded_checkpoint" => Statement::ShieldedCheckpoint,
            "scope" => Statement::Scope {
                number: index(1)?,
                absolute: text(2)? == "deadline",
                seconds: seconds(3)?,
                shield: parts.get(4)?.as_bool()?,
                block: inside(5)?,
            },
            "cancel" => Statement::Cancel(index(1)?),
            "set_deadline" => Statement::SetDeadline(index(1)?, seconds(2)?),
            "set_shield" => Statement::SetShield(index(1)?, parts.get(2)?.as_bool()?),
            "nursery" => Statement::Nursery(number(1)?, inside(2)?),
            "spawn" => Statement::Spawn(number(1)?, text(2)?.to_owned(), inside(3)?),
            "start" => Statement::Start(number(1)?, text(2)?.to_owned(), inside(3)?),
            "started" => Statement::Started(integer(1)?),
            "cancel_nursery" => Statement::CancelNursery(number(1)?),
            "event_set" => Statement::EventSet(index(1)?),
            "event_wait" => Statement::EventWait(index(1)?),
            "with" => Statement::With(kind(1)?, index(2)?, inside(3)?),
            "release" => Statement::Release(kind(1)?, index(2)?),
            "condition" => Statement::Condition(index(1)?, inside(2)?),
            "cond_wait" => Statement::CondWait(index(1)?),
            "notify" => Statement::Notify(index(1)?, index(2)?),
            "send" => Statement::Send(index(1)?, integer(2)?),
            "receive" => Statement::Receive(index(1)?),
            "send_nowait" => Statement::SendNowait(index(1)?, integer(2)?),
            "receive_nowait" => Statement::ReceiveNowait(index(1)?),
            "raise" => Statement::Raise(text(1)?.to_owned()),
            "try" => Statement::Try(inside(1)?, inside(2)?),
            "catch" => Statement::Catch(inside(1)?),
            _ => return None,
        })
    }
}
