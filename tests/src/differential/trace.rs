//! Traces: what each task saw, and comparing two.

use super::{
    Mode,
    expected::{Difference, Item},
    program::Program,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, error::Error as StdError, fmt, rc::Rc};
use terzetto::{
    CancelSource, Error, InternalError, NeverStarted, process::ProcessFailed, supervise::TooManyRestarts,
    sync::NotHeld,
};

/// An error that a program raises.
#[derive(Debug)]
pub(super) struct UserError(pub(super) String);

impl fmt::Display for UserError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for UserError {}

/// Ends what a thread does once the main task has ended. Nobody sees it.
#[derive(Debug)]
pub(super) struct Over;

impl fmt::Display for Over {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the program is over")
    }
}

impl StdError for Over {}

/// What a `catch` statement catches.
pub(super) fn is_users(error: &Error) -> bool {
    !error.is_cancelled() && !error.is_interrupted() && error.downcast_ref::<ProcessFailed>().is_none()
}

/// An error as it stands in a trace.
pub(super) fn shape(error: &Error) -> Value {
    if let Some(group) = error.group() {
        let mut members: Vec<Value> = group.errors().iter().map(shape).collect();
        members.sort_by_key(Value::to_string);
        return json!({ "group": members });
    }
    if error.is_interrupted() {
        return json!("interrupt");
    }
    if error.is_cancelled() {
        return json!("cancelled");
    }
    if let Some(UserError(name)) = error.downcast_ref() {
        return json!(name);
    }
    if error.downcast_ref::<TooManyRestarts>().is_some() {
        return json!("TooManyRestarts");
    }
    if error.downcast_ref::<NeverStarted>().is_some() || error.downcast_ref::<NotHeld>().is_some() {
        return json!("RuntimeError");
    }
    if error.downcast_ref::<Over>().is_some() {
        return json!("over");
    }
    if error.downcast_ref::<InternalError>().is_some() {
        return json!("internal");
    }
    if error.downcast_ref::<ProcessFailed>().is_some() {
        return json!("ProcessFailed");
    }
    json!(format!("unexpected: {error}"))
}

/// As [`shape`]; of a cancellation also who asked for it, the text that was given, and (if `origin`) the task.
pub(super) fn with_reason(error: &Error, origin: bool) -> Value {
    match error.cancelled() {
        Some(cancelled) if error.group().is_none() && !error.is_interrupted() => {
            let reason = cancelled.reason();
            let source = match reason.source() {
                CancelSource::Explicit => "explicit",
                CancelSource::Deadline => "deadline",
                CancelSource::Nursery => "nursery",
                CancelSource::Shutdown => "shutdown",
                CancelSource::CtrlC => "KeyboardInterrupt",
                _ => "unknown",
            };
            let text = reason.text().filter(|_| source == "explicit");
            match origin {
                true => json!(["cancelled", source, text, reason.task()]),
                false => json!(["cancelled", source, text]),
            }
        }
        _ => shape(error),
    }
}

/// What came of a comparison.
#[derive(Debug)]
pub enum Comparison {
    /// Both traces are the same.
    Same,
    /// They differ in what is known.
    Expected {
        /// What that is.
        why: Vec<&'static str>,
        /// Where they differ.
        text: String,
    },
    /// They differ; the text says where.
    Different(String),
    /// The line holds no program and trace.
    Malformed,
}

/// Runs the program of one line of the oracle's output and compares the traces.
pub fn compare(line: &str, mode: Mode) -> Comparison {
    let Ok(value) = serde_json::from_str::<Value>(line) else { return Comparison::Malformed };
    let Some(program) = value.get("program").and_then(Program::parse) else { return Comparison::Malformed };
    let Some(expected) = value.get("trace") else { return Comparison::Malformed };
    // Threads and processes are as fast as they like, and the oracle cannot try all of it: what differs must differ
    // again and again.
    let in_real_time = program.gates > 0 || value["program"].to_string().contains("[\"process");
    let attempts = if in_real_time { 5 } else { 1 };
    let (program, expected) = (Rc::new(program), numbers_as_floats(expected));
    let mut found = Value::Null;
    for _ in 0..attempts {
        found = numbers_as_floats(&super::run(&program, mode));
        if found == expected {
            return Comparison::Same;
        }
    }
    let difference = Difference {
        program: value["program"].to_string(),
        has_cancelled_send: ["[\"cancelled\"", "\"closed\""]
            .iter()
            .any(|end| expected.to_string().contains(&format!("\"stream_send\",{end}"))),
        has_cancelled_take: ["[\"cancelled\"", "\"interrupt\""]
            .iter()
            .any(|end| expected.to_string().contains(&format!("\"take\",{end}"))),
        under_system: under_system(&value["program"]["main"], false),
        raises_interrupt: raises_interrupt(&found),
        items: items(&expected, &found),
        outcome: found["outcome"].clone(),
    };
    let text = tell(&difference, &found["outcome"]);
    match difference.expected() {
        Some(why) => Comparison::Expected { why, text },
        None => Comparison::Different(text),
    }
}

/// The names of all tasks that system tasks are or start. Of all strings in a program only tasks' names begin with a `t`
/// and a digit.
fn under_system(part: &Value, inside: bool) -> BTreeSet<String> {
    match part {
        Value::String(text) if inside && text.starts_with('t') && text[1..].parse::<u32>().is_ok() => {
            BTreeSet::from([text.clone()])
        }
        Value::Array(parts) => {
            let inside = inside || parts.first().is_some_and(|word| word == "system");
            parts.iter().flat_map(|part| under_system(part, inside)).collect()
        }
        _ => BTreeSet::new(),
    }
}

/// In what two traces differ.
fn items(expected: &Value, found: &Value) -> Vec<Item> {
    let mut items = Vec::new();
    let tasks = |trace: &Value| trace["tasks"].as_object().cloned().unwrap_or_default();
    let (theirs, ours) = (tasks(expected), tasks(found));
    for name in theirs.keys().chain(ours.keys().filter(|name| !theirs.contains_key(*name))) {
        let entries = |trace: &serde_json::Map<String, Value>| {
            trace.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let (theirs, ours) = (entries(&theirs), entries(&ours));
        let place = (0..theirs.len().max(ours.len())).find(|&i| theirs.get(i) != ours.get(i));
        if let Some(i) = place {
            let entry = |trace: &[Value]| trace.get(i).cloned().unwrap_or_default();
            items.push(Item::Entry { task: name.clone(), theirs: entry(&theirs), ours: entry(&ours) });
        }
    }
    for (name, theirs) in expected["hooks"].as_object().into_iter().flatten() {
        let ours = &found["hooks"][name];
        if theirs != ours {
            let text = |told: &Value| told.as_str().unwrap_or_default().to_owned();
            items.push(Item::Hooks { theirs: text(theirs), ours: text(ours) });
        }
    }
    if expected["outcome"] != found["outcome"] {
        items.push(Item::Outcome { theirs: expected["outcome"].clone(), ours: found["outcome"].clone() });
    }
    items
}

/// Whether the outcome of a task, or of one of its statements, is a Ctrl-C or a group that has one in it.
fn raises_interrupt(trace: &Value) -> bool {
    fn is_or_has(outcome: &Value) -> bool {
        let members = outcome["group"].as_array().into_iter().flatten();
        outcome == "interrupt" || members.into_iter().any(is_or_has)
    }
    let tasks = trace["tasks"].as_object().into_iter().flatten();
    let mut entries = tasks.flat_map(|(_, entries)| entries.as_array().into_iter().flatten());
    is_or_has(&trace["outcome"]) || entries.any(|entry| is_or_has(&entry[2]))
}

fn tell(difference: &Difference, outcome: &Value) -> String {
    let mut text = String::new();
    let told = |entry: &Value| if entry.is_null() { "nothing".to_owned() } else { entry.to_string() };
    for item in &difference.items {
        text += &match item {
            Item::Entry { task, theirs, ours } => {
                format!("{task}: trio {}, terzetto {}\n", told(theirs), told(ours))
            }
            Item::Hooks { theirs, ours } => format!("hooks: trio {theirs}, terzetto {ours}\n"),
            Item::Outcome { theirs, ours } => {
                return text + &format!("outcome: trio {theirs}, terzetto {ours}");
            }
        };
    }
    text + &format!("outcome of both: {outcome}")
}

/// The same value with whole numbers written as floats: JSON writers differ in that.
fn numbers_as_floats(value: &Value) -> Value {
    match value {
        Value::Number(number) => json!(number.as_f64()),
        Value::Array(members) => members.iter().map(numbers_as_floats).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(key, member)| (key.clone(), numbers_as_floats(member))).collect(),
        ),
        other => other.clone(),
    }
}
