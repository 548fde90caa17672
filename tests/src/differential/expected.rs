//! Differences that are known.
//!
//! A list of two kinds: [`Until::Mended`] are defects that somebody works on, and go from the list when they are
//! mended; [`Until::Never`] are differences of principle, each with its reason. A program counts as different unless
//! each of its differences is explained by one of them.

use serde_json::Value;

/// Something in which two traces differ: theirs is trio's.
#[derive(Debug)]
pub(super) enum Item {
    /// The first entry of a task that is not the same.
    Entry { task: String, theirs: Value, ours: Value },
    /// What an instrument was told of a task.
    Hooks { theirs: String, ours: String },
    /// How the main task ended.
    Outcome { theirs: Value, ours: Value },
}

/// A program, and all in which its traces differ.
#[derive(Debug)]
pub(super) struct Difference {
    /// The program as text.
    pub(super) program: String,
    /// Whether a send to a stream in memory is cancelled in it, or closed.
    pub(super) has_cancelled_send: bool,
    pub(super) items: Vec<Item>,
}

/// How long a difference is to be expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Until {
    Mended,
    Never,
}

struct Expected {
    why: &'static str,
    until: Until,
    explains: fn(&Difference, &Item) -> bool,
}

const EXPECTED: &[Expected] = &[
    Expected {
        why: "producers run ahead of their consumers, and wrap what fails",
        until: Until::Mended,
        explains: |difference, _| difference.has("producer"),
    },
    Expected {
        why: "a producer begins in a cancelled region, and some ticks sooner",
        until: Until::Mended,
        explains: |difference, _| {
            let refused = |(theirs, _): (&Value, &Value)| {
                theirs[1] == "producer" && theirs.pointer("/2/0").is_some_and(|word| word == "cancelled")
            };
            difference.items.iter().any(|item| item.entry().is_some_and(refused))
        },
    },
    Expected {
        why: "Ctrl-C: one beside an error of main is lost; checkpoint_if_cancelled ignores a pending one; the nursery \
              that it ends names another source",
        until: Until::Mended,
        explains: |difference, _| difference.has("interrupt"),
    },
    Expected {
        why: "a nursery that fails does not name the task in the reason of its cancellation",
        until: Until::Mended,
        explains: |_, item| item.entry().is_some_and(|(theirs, ours)| but_for_the_task(theirs, ours)),
    },
    Expected {
        why: "a limiter has no less than zero tokens available",
        until: Until::Mended,
        explains: |_, item| item.entry().is_some_and(|(theirs, ours)| but_for_debts(theirs, ours)),
    },
    Expected {
        why: "a Ctrl-C beside an error of the main task is in a group with it; trio leaves the error to the context",
        until: Until::Never,
        explains: |_, item| match item {
            Item::Outcome { theirs, ours } => {
                theirs == "interrupt"
                    && ours["group"].as_array().is_some_and(|all| all.iter().any(|one| one == "interrupt"))
            }
            _ => false,
        },
    },
    Expected {
        why: "a pending Ctrl-C comes out of the end of the main task's nursery, or of the call of `start` whose child \
              ends without a word; in trio of what the main task does next in that instant; other tasks may make a step \
              more or less before they are cancelled by it",
        until: Until::Never,
        explains: |difference, _| difference.sees_interrupt_elsewhere(),
    },
    Expected {
        why: "a system task begins some ticks later than in trio, and not at all once the main task has ended",
        until: Until::Never,
        explains: |difference, _| {
            let shut_down = |entry: &Value| entry.pointer("/2/1").is_some_and(|source| source == "shutdown");
            let begins_late = |item: &Item| {
                let late = |(theirs, ours): (&Value, &Value)| {
                    !shut_down(theirs) && (ours.is_null() || shut_down(ours))
                };
                matches!(item, Item::Hooks { .. }) || item.entry().is_some_and(late)
            };
            difference.has("system") && difference.items.iter().any(begins_late)
        },
    },
    Expected {
        why: "a send of a lockstep stream that is cancelled or closed takes its data back; in trio they stay",
        until: Until::Never,
        explains: |difference, _| {
            let receives =
                |item: &Item| item.entry().is_some_and(|(theirs, _)| theirs[1] == "stream_receive");
            difference.program.contains("\"lockstep\"")
                && difference.has_cancelled_send
                && difference.items.iter().any(receives)
        },
    },
    Expected {
        why: "the wake for the schedule point at a nursery's end is told after the step, not within it",
        until: Until::Never,
        explains: |_, item| match item {
            Item::Hooks { theirs, ours } => theirs.replace("as", "sa") == ours.replace("as", "sa"),
            _ => false,
        },
    },
    Expected {
        why: "a group of nothing but cancellations that comes out of a producer or a process has fewer levels",
        until: Until::Never,
        explains: |difference, item| {
            ["producer", "process", "process_forever"].iter().any(|word| difference.has(word))
                && match item {
                    Item::Entry { theirs, ours, .. } | Item::Outcome { theirs, ours } => {
                        without_reasons(theirs) == without_reasons(ours)
                    }
                    Item::Hooks { .. } => false,
                }
        },
    },
];

impl Item {
    fn entry(&self) -> Option<(&Value, &Value)> {
        match self {
            Item::Entry { theirs, ours, .. } => Some((theirs, ours)),
            _ => None,
        }
    }
}

impl Difference {
    fn has(&self, word: &str) -> bool {
        self.program.contains(&format!("[\"{word}\""))
    }

    /// Why the difference is to be expected; none if it is not.
    pub(super) fn expected(&self) -> Option<Vec<&'static str>> {
        self.explained_by(|_| true)
    }

    /// As [`Difference::expected`], by differences of principle alone.
    pub(super) fn expected_for_ever(&self) -> Option<Vec<&'static str>> {
        self.explained_by(|expected| expected.until == Until::Never)
    }

    fn explained_by(&self, counts: impl Fn(&Expected) -> bool) -> Option<Vec<&'static str>> {
        let counts = &counts;
        // Those that explain the least come last in the list, and are preferred.
        let mut reasons: Vec<&'static str> = self
            .items
            .iter()
            .map(|item| {
                let found = EXPECTED.iter().rev().find(|known| counts(known) && (known.explains)(self, item));
                found.map(|known| known.why)
            })
            .collect::<Option<_>>()?;
        reasons.sort_unstable();
        reasons.dedup();
        Some(reasons)
    }
}

impl Difference {
    /// Whether only the main task's trace differs, first in a statement that ends in the same instant, and is not simply
    /// done here, and both end with a Ctrl-C. Cancellations of other tasks may have other reasons by that, or come a step
    /// sooner or later: a signal is seen between two ticks.
    fn sees_interrupt_elsewhere(&self) -> bool {
        let interrupted = |value: &Value| value.to_string().contains("\"interrupt\"");
        self.has("interrupt")
            && self.items.iter().all(|item| match item {
                Item::Entry { task, theirs, ours } => {
                    let in_an_instant = theirs[0] == ours[0] && theirs[1] == ours[1] && ours[2] != "ok";
                    let by_interrupt =
                        |entry: &Value| entry.pointer("/2/1").is_some_and(|by| by == "KeyboardInterrupt");
                    let same = without_reasons(theirs) == without_reasons(ours);
                    let one_step_off = theirs[0] == ours[0] && (by_interrupt(theirs) || by_interrupt(ours));
                    in_an_instant && (task == "main" || same) || task != "main" && one_step_off
                }
                Item::Outcome { theirs, ours } => interrupted(theirs) && interrupted(ours),
                Item::Hooks { .. } => false,
            })
    }
}

/// Whether two entries of a cancellation by a nursery differ only in that ours names no task.
fn but_for_the_task(theirs: &Value, ours: &Value) -> bool {
    let (Some(named), mut ours) = (theirs.pointer("/2/3"), ours.clone()) else { return false };
    if ours.pointer("/2/1").is_none_or(|source| source != "nursery") {
        return false;
    }
    match ours.pointer_mut("/2/3") {
        Some(task) if task.is_null() => *task = named.clone(),
        _ => return false,
    }
    ours == *theirs
}

/// Whether two entries with statistics differ only in the available tokens of limiters, which trio has below zero.
fn but_for_debts(theirs: &Value, ours: &Value) -> bool {
    let mut paid = theirs.clone();
    for limiter in paid.pointer_mut("/3/4").and_then(Value::as_array_mut).into_iter().flatten() {
        if limiter[2].as_f64().is_some_and(|available| available < 0.0) {
            limiter[2] = 0.0.into();
        }
    }
    paid == *ours
}

/// The same with each cancellation, and each group of nothing but cancellations, as one word.
fn without_reasons(value: &Value) -> Value {
    match value {
        Value::Array(parts) if parts.first().is_some_and(|first| first == "cancelled") => "cancelled".into(),
        Value::Array(parts) => parts.iter().map(without_reasons).collect(),
        Value::Object(parts) => {
            let members = parts["group"].as_array().into_iter().flatten();
            let mut members: Vec<Value> = members.map(without_reasons).collect();
            members.dedup();
            if members == ["cancelled"] {
                "cancelled".into()
            } else {
                serde_json::json!({ "group": members })
            }
        }
        other => other.clone(),
    }
}
