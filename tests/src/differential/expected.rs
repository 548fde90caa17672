//! Differences that are known.
//!
//! They are differences of principle, each with its reason. A program counts as different unless each of its
//! differences is explained by one of them. A defect does not belong here: it is mended.

use serde_json::Value;
use std::collections::BTreeSet;

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
    /// Whether a value that a producer makes is asked for in a cancelled region.
    pub(super) has_cancelled_take: bool,
    /// The names of all tasks that system tasks are or start.
    pub(super) under_system: BTreeSet<String>,
    /// Whether a Ctrl-C is raised somewhere in our trace.
    pub(super) raises_interrupt: bool,
    pub(super) items: Vec<Item>,
    /// How our main task ended.
    pub(super) outcome: Value,
}

struct Expected {
    why: &'static str,
    explains: fn(&Difference, &Item) -> bool,
}

const EXPECTED: &[Expected] = &[
    Expected {
        why: "a Ctrl-C beside an error of the main task is in a group with it; trio leaves the error to the context",
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
        explains: |difference, _| difference.sees_interrupt_elsewhere(),
    },
    Expected {
        why: "a scope keeps the reason for which it was cancelled; in trio a scope in which a checkpoint of the main task \
              has found a pending Ctrl-C gives that as its reason for ever, whatever cancels it later",
        explains: |difference, item| {
            let says_interrupt =
                |theirs: &Value| theirs.pointer("/2/1").is_some_and(|source| source == "KeyboardInterrupt");
            difference.has("interrupt")
                && item.entry().is_some_and(|(theirs, ours)| {
                    says_interrupt(theirs) && without_reasons(theirs) == without_reasons(ours)
                })
        },
    },
    Expected {
        why: "a system task begins some ticks later than in trio, and not at all once the main task has ended",
        explains: |difference, _| {
            // What a cancelled task sees: the reason, or that its effective deadline has passed.
            let shut_down = |entry: &Value| {
                entry.pointer("/2/1").is_some_and(|source| source == "shutdown")
                    || entry[1] == "effective_deadline" && entry.pointer("/2/2").is_some_and(|is| is == true)
            };
            let begins_late = |item: &Item| {
                let late = |(theirs, ours): (&Value, &Value)| {
                    !shut_down(theirs) && (ours.is_null() || shut_down(ours))
                };
                matches!(item, Item::Hooks { .. }) || item.entry().is_some_and(late)
            };
            // If it is cancelled before it has come as far as in trio, less of it is cancelled, and from elsewhere.
            let is_cancelled_early = |item: &Item| {
                item.entry_under(&difference.under_system).is_some_and(|(theirs, ours)| {
                    let in_group = |entry: &Value| without_reasons(&entry[2]) == "cancelled";
                    let same_place = theirs[0] == ours[0] && theirs[1] == ours[1];
                    let both = in_group(theirs) && in_group(ours);
                    same_place && (theirs[1] == "scope_end" || both) || shut_down(theirs) && shut_down(ours)
                })
            };
            // If it fails, it cancels the main task, which may have ended in the same instant.
            let fails_late = |item: &Item| {
                let late =
                    |(theirs, ours): (&Value, &Value)| without_cancelled(theirs) == without_cancelled(ours);
                difference.outcome == "internal" && item.entry().is_some_and(late)
            };
            let explained = |item: &Item| begins_late(item) || is_cancelled_early(item) || fails_late(item);
            difference.has("system") && difference.items.iter().any(explained)
        },
    },
    Expected {
        why: "a receive that is cancelled asks a producer for nothing; in trio it does",
        explains: |difference, item| {
            difference.has_cancelled_take && item.entry().is_some_and(|(_, ours)| ours.is_null())
        },
    },
    Expected {
        why: "a send of a lockstep stream that is cancelled or closed takes its data back; in trio they stay",
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
        explains: |_, item| match item {
            Item::Hooks { theirs, ours } => theirs.replace("as", "sa") == ours.replace("as", "sa"),
            _ => false,
        },
    },
    Expected {
        why: "once a scope is being shut down, that is the reason of all that is cancelled in it, whatever cancels it in \
              the end",
        explains: |difference, item| {
            let names_shutdown = |ours: &Value| {
                let text = ours.pointer("/2/2").and_then(Value::as_str);
                text.is_some_and(|text| text.starts_with("it is shut down"))
            };
            difference.has("graceful")
                && item.entry().is_some_and(|(theirs, ours)| {
                    names_shutdown(ours) && without_reasons(theirs) == without_reasons(ours)
                })
        },
    },
    Expected {
        why: "a scope that is being shut down and then cancelled from outside returns the cancellations of all its tasks",
        explains: |difference, item| {
            // Blocks around it pass the same on, or would have had a value otherwise.
            let differs_so = |item: &Item| {
                item.entry().is_some_and(|(theirs, ours)| {
                    let is_cancelled = without_reasons(&ours[2]) == "cancelled";
                    is_cancelled && theirs[0] == ours[0] && theirs[1] == ours[1]
                        || without_cancelled(theirs) == without_cancelled(ours)
                })
            };
            let is_end = |item: &Item| item.entry().is_some_and(|(_, ours)| ours[1] == "graceful");
            let time = |item: &Item| item.entry().and_then(|(_, ours)| ours[0].as_f64());
            let begins =
                difference.items.iter().filter(|item| is_end(item) && differs_so(item)).filter_map(time);
            let begins = begins.fold(f64::INFINITY, f64::min);
            differs_so(item) && time(item).is_some_and(|time| time >= begins)
        },
    },
    Expected {
        why: "a group of nothing but cancellations that comes out of a producer or a process has fewer levels",
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

    /// The entries, if the task is one of these.
    fn entry_under(&self, tasks: &BTreeSet<String>) -> Option<(&Value, &Value)> {
        match self {
            Item::Entry { task, .. } if tasks.contains(task) => self.entry(),
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
        // Those that explain the least come last in the list, and are preferred.
        let mut reasons: Vec<&'static str> = self
            .items
            .iter()
            .map(|item| {
                let found = EXPECTED.iter().rev().find(|known| (known.explains)(self, item));
                found.map(|known| known.why)
            })
            .collect::<Option<_>>()?;
        reasons.sort_unstable();
        reasons.dedup();
        Some(reasons)
    }
}

impl Difference {
    /// Whether the main task differs first where one side raises a Ctrl-C and the other does not yet, ours raises it
    /// all the same, and other tasks differ from that instant on only.
    fn sees_interrupt_elsewhere(&self) -> bool {
        let interrupted = |entry: &Value| entry[2].to_string().contains("\"interrupt\"");
        let time = |entry: &Value| entry[0].as_f64();
        let main = self.items.iter().find_map(|item| match item {
            Item::Entry { task, theirs, ours } if task == "main" => Some((theirs, ours)),
            _ => None,
        });
        let begins = match main {
            Some((theirs, ours)) if interrupted(theirs) || interrupted(ours) => time(theirs).or(time(ours)),
            Some(_) => return false,
            // Other tasks alone are cancelled a step sooner or later.
            None => None,
        };
        // A task that was cancelled sees the reason, or that its effective deadline has passed. The reason is the Ctrl-C,
        // or the nursery in which the main task raised it.
        let is_reason = |by: &Value| by == "KeyboardInterrupt" || by == "nursery" && self.raises_interrupt;
        let by_interrupt = |entry: &Value| {
            entry.pointer("/2/1").is_some_and(is_reason)
                || entry[1] == "effective_deadline" && entry.pointer("/2/2").is_some_and(|is| is == true)
        };
        // In that step it may have started tasks, of which the other side knows nothing.
        let in_one_only = |theirs: &Value, ours: &Value| theirs.is_null() != ours.is_null();
        let cancelled_at: Vec<f64> = (self.items.iter().filter_map(Item::entry))
            .filter(|(theirs, ours)| by_interrupt(theirs) || by_interrupt(ours))
            .filter_map(|(theirs, ours)| time(theirs).or(time(ours)))
            .collect();
        self.has("interrupt")
            && (main.is_none() || self.raises_interrupt)
            && self.items.iter().all(|item| match item {
                Item::Entry { theirs, ours, .. } => match (begins, time(theirs).or(time(ours))) {
                    (_, None) => false,
                    (Some(begins), Some(at)) => at >= begins,
                    (None, Some(at)) if in_one_only(theirs, ours) => cancelled_at.contains(&at),
                    (None, Some(_)) => theirs[0] == ours[0] && (by_interrupt(theirs) || by_interrupt(ours)),
                },
                Item::Outcome { .. } => main.is_some(),
                Item::Hooks { .. } => false,
            })
    }
}

/// The same with no cancellation in a group.
fn without_cancelled(value: &Value) -> Value {
    match value {
        Value::Array(parts) => parts.iter().map(without_cancelled).collect(),
        Value::Object(parts) => {
            let members = parts["group"].as_array().into_iter().flatten();
            let others = members.filter(|member| *member != "cancelled").map(without_cancelled);
            serde_json::json!({ "group": others.collect::<Vec<_>>() })
        }
        other => other.clone(),
    }
}

/// The same with each cancellation, and each group of nothing but cancellations, as one word.
fn without_reasons(value: &Value) -> Value {
    match value {
        Value::Array(parts) if parts.first().is_some_and(|first| first == "cancelled") => "cancelled".into(),
        Value::Array(parts) => parts.iter().map(without_reasons).collect(),
        Value::Object(parts) => {
            let members = parts["group"].as_array().into_iter().flatten();
            let mut members: Vec<Value> = members.map(without_reasons).collect();
            members.sort_by_key(Value::to_string);
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
