//! The part of the language about patterns: what nurseries and scopes are used for.

use super::program::{Block, Parts};

/// A task that a statement names: its name, and what it does.
pub type NamedBlock = (String, Block);

/// What such a statement does; the README of the language describes each.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is documented with the language")]
pub enum PatternAction {
    Gather(Vec<NamedBlock>),
    Map { limit: usize, as_completed: bool, tasks: Vec<NamedBlock> },
    FirstToEnd(Vec<NamedBlock>),
    FirstToSucceed(Vec<NamedBlock>),
    Hedge(f64, Vec<NamedBlock>),
    Services { services: u64, ordinary: u64, block: Block },
    SpawnForResult { nursery: u64, name: String, value: i64, block: Block },
    ChildResult(String),
    Graceful { seconds: f64, grace: f64, stopped: Vec<NamedBlock>, finishing: Vec<NamedBlock> },
    UntilShutDown(Block),
}

impl PatternAction {
    pub(super) fn parse(word: &str, parts: &Parts<'_>) -> Option<PatternAction> {
        Some(match word {
            "gather" => PatternAction::Gather(tasks(parts, 1)?),
            "map" => PatternAction::Map {
                limit: parts.index(1)?,
                as_completed: parts.flag(2)?,
                tasks: tasks(parts, 3)?,
            },
            "race" if parts.text(1)? == "end" => PatternAction::FirstToEnd(tasks(parts, 2)?),
            "race" => PatternAction::FirstToSucceed(tasks(parts, 2)?),
            "hedge" => PatternAction::Hedge(parts.seconds(1)?, tasks(parts, 2)?),
            "services" => PatternAction::Services {
                services: parts.number(1)?,
                ordinary: parts.number(2)?,
                block: parts.block(3)?,
            },
            "spawn_for_result" => PatternAction::SpawnForResult {
                nursery: parts.number(1)?,
                name: parts.name(2)?,
                value: parts.integer(3)?,
                block: parts.block(4)?,
            },
            "result" => PatternAction::ChildResult(parts.name(1)?),
            "graceful" => PatternAction::Graceful {
                seconds: parts.seconds(1)?,
                grace: parts.seconds(2)?,
                stopped: tasks(parts, 3)?,
                finishing: tasks(parts, 4)?,
            },
            "until_shut_down" => PatternAction::UntilShutDown(parts.block(1)?),
            _ => return None,
        })
    }
}

fn tasks(parts: &Parts<'_>, i: usize) -> Option<Vec<NamedBlock>> {
    let one = |value| {
        let parts = Parts::of(value)?;
        Some((parts.name(0)?, parts.block(1)?))
    };
    parts.values(i)?.iter().map(one).collect()
}
