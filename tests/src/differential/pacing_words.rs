//! The part of the language about when and how often something is done again.

use super::program::{Block, Parts};
use serde_json::Value;

/// A rate limit of a program.
#[derive(Debug)]
pub struct RateSpec {
    /// How many tokens come in each period.
    pub count: usize,
    /// The period in seconds.
    pub period: f64,
    /// How many tokens there are at most.
    pub burst: usize,
}

impl RateSpec {
    pub(super) fn parse(parts: &Parts<'_>) -> Option<RateSpec> {
        Some(RateSpec { count: parts.index(0)?, period: parts.seconds(1)?, burst: parts.index(2)? })
    }
}

/// A task that is begun again: its name, and the block of each beginning.
pub type Supervised = (String, Vec<Block>);

/// What such a statement does; the README of the language describes each.
#[derive(Debug)]
#[expect(missing_docs, reason = "each is documented with the language")]
pub enum PacingAction {
    Retry { first: f64, factor: f64, longest: f64, timeout: Option<f64>, attempts: Vec<Block> },
    TakeTokens(usize, usize),
    TakeTokenNowait(usize),
    Supervise { one_for_one: bool, restarts: usize, within: f64, pause: f64, tasks: Vec<Supervised> },
}

impl PacingAction {
    pub(super) fn parse(word: &str, parts: &Parts<'_>) -> Option<PacingAction> {
        Some(match word {
            "retry" => PacingAction::Retry {
                first: parts.seconds(1)?,
                factor: parts.seconds(2)?,
                longest: parts.seconds(3)?,
                timeout: parts.or_null(4, Parts::seconds)?,
                attempts: parts.blocks(5)?,
            },
            "take_tokens" => PacingAction::TakeTokens(parts.index(1)?, parts.index(2)?),
            "take_token_nowait" => PacingAction::TakeTokenNowait(parts.index(1)?),
            "supervise" => PacingAction::Supervise {
                one_for_one: parts.text(1)? == "one_for_one",
                restarts: parts.index(2)?,
                within: parts.seconds(3)?,
                pause: parts.seconds(4)?,
                tasks: parts.values(5)?.iter().map(supervised).collect::<Option<_>>()?,
            },
            _ => return None,
        })
    }
}

fn supervised(value: &Value) -> Option<Supervised> {
    let parts = Parts::of(value)?;
    Some((parts.name(0)?, parts.blocks(1)?))
}
