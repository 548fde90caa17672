//! What results were made with: program, task, parameters. Results belong together if these are the same.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::BoxError;

/// What a series of results was made with: program, task and parameters, but not the inputs. It has no paths,
/// because a series may be moved.
///
/// ```
/// use terzetto_executor::results::MadeWith;
///
/// let mut then = MadeWith::new("example 1.0", "piv");
/// then.set("window", 32)?;
/// let mut now = MadeWith::new("example 1.0", "piv");
/// now.set("window", 64)?;
/// assert_eq!(then.differences(&now), ["window was 32, is 64"]);
/// # Ok::<(), terzetto_executor::BoxError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MadeWith(Table);

const TASK: &str = "task";

impl MadeWith {
    /// A program with its version, and a task.
    pub fn new(program: &str, task: &str) -> MadeWith {
        let entries = [("program", program), (TASK, task)];
        let entry = |(key, text): (&str, &str)| (key.to_owned(), Value::String(text.to_owned()));
        MadeWith(entries.into_iter().map(entry).collect())
    }

    /// Adds a parameter, or a section of parameters.
    ///
    /// # Errors
    /// The value cannot be written as TOML.
    pub fn set(&mut self, key: &str, value: impl Serialize) -> Result<(), BoxError> {
        self.0.insert(key.to_owned(), Value::try_from(value)?);
        Ok(())
    }

    /// The task.
    pub(super) fn task(&self) -> Option<&str> {
        self.0.get(TASK).and_then(Value::as_str)
    }

    /// The differences to `now`, each with its key and both values.
    pub fn differences(&self, now: &MadeWith) -> Vec<String> {
        let mut found = Vec::new();
        compare_tables(&self.0, &now.0, "", &mut found);
        found
    }
}

fn compare_tables(then: &Table, now: &Table, at: &str, found: &mut Vec<String>) {
    let keys: BTreeSet<&String> = then.keys().chain(now.keys()).collect();
    let dot = if at.is_empty() { "" } else { "." };
    for key in keys {
        compare(then.get(key), now.get(key), &format!("{at}{dot}{key}"), found);
    }
}

/// Compares two values of a key such as `piv.passes[0].window`. Lists of tables are compared table by table.
fn compare(then: Option<&Value>, now: Option<&Value>, key: &str, found: &mut Vec<String>) {
    match (then, now) {
        (Some(Value::Table(then)), Some(Value::Table(now))) => compare_tables(then, now, key, found),
        (Some(Value::Array(then)), Some(Value::Array(now)))
            if then.iter().chain(now).all(Value::is_table) =>
        {
            for at in 0..then.len().max(now.len()) {
                compare(then.get(at), now.get(at), &format!("{key}[{at}]"), found);
            }
        }
        (then, now) if then == now => {}
        (then, now) => found.push(format!("{key} was {}, is {}", text(then), text(now))),
    }
}

/// A value in a sentence. A section is only said to be there.
fn text(value: Option<&Value>) -> String {
    match value {
        None => "absent".to_owned(),
        Some(Value::Table(_)) => "there".to_owned(),
        Some(Value::Array(list)) if !list.is_empty() && list.iter().all(Value::is_table) => {
            "there".to_owned()
        }
        Some(value) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_name_the_smallest_part_that_differs() {
        let made = |text: &str| MadeWith(toml::from_str(text).expect("TOML"));
        let then = made("x = 1\n[[p]]\nw = 32\n[a.b]\nc = true");
        let now = made("y = \"z\"\n[[p]]\nw = 64\n[[p]]\nw = 8\nv = 1\n[a.b]\nc = true");
        let wanted = [
            "p[0].w was 32, is 64",
            "p[1] was absent, is there",
            "x was 1, is absent",
            "y was absent, is \"z\"",
        ];
        assert_eq!(then.differences(&now), wanted);
        assert_eq!(now.differences(&now), [""; 0]);
        assert_eq!(made("").differences(&made("[[f]]\nx = 1")), ["f was absent, is there"]);
    }
}
