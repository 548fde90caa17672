//! The language: what a program may say.

use super::{
    message_words::{BroadcastSpec, MessageAction},
    outside_words::OutsideAction,
    pacing_words::{PacingAction, RateSpec},
    pattern_words::PatternAction,
    sync_words::SyncAction,
};
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
    /// How many parking lots.
    pub lots: usize,
    /// The kind of each stream in memory.
    pub streams: Vec<StreamKind>,
    /// The broadcast channels.
    pub broadcasts: Vec<BroadcastSpec>,
    /// How many watched values.
    pub watched: usize,
    /// How many one-shots.
    pub oneshots: usize,
    /// The rate limits.
    pub rates: Vec<RateSpec>,
    /// How many gates, at which threads wait.
    pub gates: usize,
    /// What is looked at from outside.
    pub watch: Watch,
    /// Whether it sends signals to its process.
    pub uses_signals: bool,
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

/// What a statement does; the README of the language describes each.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is documented with the language")]
pub enum Action {
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
    Sync(SyncAction),
    Outside(OutsideAction),
    Pattern(PatternAction),
    Message(MessageAction),
    Pacing(PacingAction),
}

/// A kind of stream in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StreamKind {
    /// Sending never waits.
    Memory,
    /// Sending waits for the receiver.
    Lockstep,
}

/// What a trace holds beside the outcomes of statements.
#[derive(Debug, Clone, Copy, Default)]
pub struct Watch {
    /// The statistics of all objects after each statement.
    pub statistics: bool,
    /// What an instrument is told of each task.
    pub hooks: bool,
    /// The task that asked for a cancellation.
    pub origin: bool,
}

/// One statement: its word in the language, and what it does.
#[derive(Debug)]
pub struct Statement {
    /// The word with which it is written in the trace.
    pub word: String,
    /// What it does.
    pub action: Action,
}

impl Program {
    /// Reads a program; `None` if it is not well formed.
    pub fn parse(value: &Value) -> Option<Program> {
        let number = |name: &str| value.get(name)?.as_u64().map(|n| n as usize);
        let numbers = |name: &str| -> Option<Vec<usize>> {
            value.get(name)?.as_array()?.iter().map(|n| n.as_u64().map(|n| n as usize)).collect()
        };
        // What the first programs did not have may be left out.
        let words = |name: &str| -> Option<Vec<&str>> {
            value
                .get(name)
                .map_or(Some(Vec::new()), |all| all.as_array()?.iter().map(Value::as_str).collect())
        };
        let or_none = |name: &str| value.get(name).map_or(Some(0), |_| number(name));
        let watch = words("watch")?;
        Some(Program {
            scopes: number("scopes")?,
            events: number("events")?,
            locks: number("locks")?,
            conditions: number("conditions")?,
            semaphores: numbers("semaphores")?,
            limiters: numbers("limiters")?,
            channels: numbers("channels")?,
            lots: or_none("lots")?,
            streams: words("streams")?.into_iter().map(StreamKind::parse).collect::<Option<_>>()?,
            broadcasts: specs(value, "broadcasts", BroadcastSpec::parse)?,
            watched: or_none("watched")?,
            oneshots: or_none("oneshots")?,
            rates: specs(value, "rates", RateSpec::parse)?,
            gates: or_none("gates")?,
            watch: Watch {
                statistics: watch.contains(&"statistics"),
                hooks: watch.contains(&"hooks"),
                origin: watch.contains(&"origin"),
            },
            uses_signals: ["[\"interrupt\"]", "[\"raise_signal\"]", "[\"signals\","]
                .iter()
                .any(|word| value.to_string().contains(word)),
            main: block(value.get("main")?)?,
        })
    }
}

impl StreamKind {
    fn parse(word: &str) -> Option<StreamKind> {
        match word {
            "memory" => Some(StreamKind::Memory),
            "lockstep" => Some(StreamKind::Lockstep),
            _ => None,
        }
    }
}

/// A list of descriptions; nothing if it is left out.
fn specs<T>(program: &Value, name: &str, parse: impl Fn(&Parts<'_>) -> Option<T>) -> Option<Vec<T>> {
    let all = program.get(name).map_or(Some(&[][..]), |all| all.as_array().map(Vec::as_slice))?;
    all.iter().map(|one| parse(&Parts::of(one)?)).collect()
}

fn block(value: &Value) -> Option<Block> {
    value.as_array()?.iter().map(Statement::parse).collect()
}

/// The parts of a statement that is being read: its word, then the arguments.
pub(super) struct Parts<'v>(&'v [Value]);

impl<'v> Parts<'v> {
    pub(super) fn of(value: &'v Value) -> Option<Parts<'v>> {
        value.as_array().map(|parts| Parts(parts))
    }

    pub(super) fn number(&self, i: usize) -> Option<u64> {
        self.0.get(i)?.as_u64()
    }

    pub(super) fn index(&self, i: usize) -> Option<usize> {
        self.number(i).map(|n| n as usize)
    }

    pub(super) fn integer(&self, i: usize) -> Option<i64> {
        self.0.get(i)?.as_i64()
    }

    pub(super) fn seconds(&self, i: usize) -> Option<f64> {
        self.0.get(i)?.as_f64()
    }

    pub(super) fn flag(&self, i: usize) -> Option<bool> {
        self.0.get(i)?.as_bool()
    }

    pub(super) fn text(&self, i: usize) -> Option<&str> {
        self.0.get(i)?.as_str()
    }

    pub(super) fn name(&self, i: usize) -> Option<String> {
        self.text(i).map(str::to_owned)
    }

    pub(super) fn block(&self, i: usize) -> Option<Block> {
        block(self.0.get(i)?)
    }

    pub(super) fn blocks(&self, i: usize) -> Option<Vec<Block>> {
        self.values(i)?.iter().map(block).collect()
    }

    pub(super) fn statement(&self, i: usize) -> Option<Statement> {
        Statement::parse(self.0.get(i)?)
    }

    pub(super) fn values(&self, i: usize) -> Option<&[Value]> {
        self.0.get(i)?.as_array().map(Vec::as_slice)
    }

    /// Something that may be null.
    pub(super) fn or_null<T>(&self, i: usize, read: impl Fn(&Self, usize) -> Option<T>) -> Option<Option<T>> {
        if self.0.get(i)?.is_null() { Some(None) } else { read(self, i).map(Some) }
    }

    fn kind(&self, i: usize) -> Option<Kind> {
        match self.text(i)? {
            "lock" => Some(Kind::Lock),
            "semaphore" => Some(Kind::Semaphore),
            "limiter" => Some(Kind::Limiter),
            _ => None,
        }
    }
}

impl Statement {
    pub(super) fn parse(value: &Value) -> Option<Statement> {
        let parts = Parts::of(value)?;
        let word = parts.name(0)?;
        let action = Action::parse(&word, &parts)
            .or_else(|| SyncAction::parse(&word, &parts).map(Action::Sync))
            .or_else(|| OutsideAction::parse(&word, &parts).map(Action::Outside))
            .or_else(|| PatternAction::parse(&word, &parts).map(Action::Pattern))
            .or_else(|| MessageAction::parse(&word, &parts).map(Action::Message))
            .or_else(|| PacingAction::parse(&word, &parts).map(Action::Pacing))?;
        Some(Statement { word, action })
    }
}

impl Action {
    fn parse(word: &str, parts: &Parts<'_>) -> Option<Action> {
        Some(match word {
            "sleep" => Action::Sleep(parts.seconds(1)?),
            "sleep_forever" => Action::SleepForever,
            "checkpoint" => Action::Checkpoint,
            "checkpoint_if_cancelled" => Action::CheckpointIfCancelled,
            "shielded_checkpoint" => Action::ShieldedCheckpoint,
            "scope" => Action::Scope {
                number: parts.index(1)?,
                absolute: parts.text(2)? == "deadline",
                seconds: parts.seconds(3)?,
                shield: parts.flag(4)?,
                block: parts.block(5)?,
            },
            "cancel" => Action::Cancel(parts.index(1)?),
            "set_deadline" => Action::SetDeadline(parts.index(1)?, parts.seconds(2)?),
            "set_shield" => Action::SetShield(parts.index(1)?, parts.flag(2)?),
            "nursery" => Action::Nursery(parts.number(1)?, parts.block(2)?),
            "spawn" => Action::Spawn(parts.number(1)?, parts.name(2)?, parts.block(3)?),
            "start" => Action::Start(parts.number(1)?, parts.name(2)?, parts.block(3)?),
            "started" => Action::Started(parts.integer(1)?),
            "cancel_nursery" => Action::CancelNursery(parts.number(1)?),
            "event_set" => Action::EventSet(parts.index(1)?),
            "event_wait" => Action::EventWait(parts.index(1)?),
            "with" => Action::With(parts.kind(1)?, parts.index(2)?, parts.block(3)?),
            "release" => Action::Release(parts.kind(1)?, parts.index(2)?),
            "condition" => Action::Condition(parts.index(1)?, parts.block(2)?),
            "cond_wait" => Action::CondWait(parts.index(1)?),
            "notify" => Action::Notify(parts.index(1)?, parts.index(2)?),
            "send" => Action::Send(parts.index(1)?, parts.integer(2)?),
            "receive" => Action::Receive(parts.index(1)?),
            "send_nowait" => Action::SendNowait(parts.index(1)?, parts.integer(2)?),
            "receive_nowait" => Action::ReceiveNowait(parts.index(1)?),
            "raise" => Action::Raise(parts.name(1)?),
            "try" => Action::Try(parts.block(1)?, parts.block(2)?),
            "catch" => Action::Catch(parts.block(1)?),
            _ => return None,
        })
    }
}
