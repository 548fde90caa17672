//! What results are made with: program, task and parameters. Two results belong together if these are the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::BoxError;

/// What a series of results is made with, but for the images. It holds no paths: a series may be moved.
///
/// ```
/// use terzetto_executor::results::MadeWith;
///
/// let mut then = MadeWith::new("piv");
/// then.set("window", 32)?;
/// let mut now = MadeWith::new("piv");
/// now.set("window", 64)?;
/// assert_eq!(then.differences(&now), ["window was 32, is 64"]);
/// # Ok::<(), terzetto_executor::BoxError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MadeWith(Table);

const TASK: &str = "task";

impl MadeWith {
    /// This version of the program, and a task.
    pub fn new(task: &str) -> MadeWith {
        let program = concat!("terzetto ", env!("CARGO_PKG_VERSION")).to_owned();
        let entries = [("program", program), (TASK, task.to_owned())];
        MadeWith(entries.into_iter().map(|(key, text)| (key.to_owned(), Value::String(text))).collect())
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

    /// What is not the same `now`, each with its key and both values.
    pub fn differences(&self, now: &MadeWith) -> Vec<String> {
        let (then, now) = (flat(&self.0), flat(&now.0));
        let keys: BTreeMap<&String, ()> = then.keys().chain(now.keys()).map(|key| (key, ())).collect();
        let text = |value: Option<&String>| value.map_or("absent", String::as_str).to_owned();
        keys.into_keys()
            .filter(|key| then.get(*key) != now.get(*key))
            .map(|key| format!("{key} was {}, is {}", text(then.get(key)), text(now.get(key))))
            .collect()
    }
}

/// The keys of all values, such as `piv.passes[0].window`, and the values as text.
fn flat(table: &Table) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (key, value) in table {
        flatten(value, key.clone(), &mut found);
    }
    found
}

fn flatten(value: &Value, key: String, found: &mut BTreeMap<String, String>) {
    match value {
        Value::Table(table) => {
            table.iter().for_each(|(name, value)| flatten(value, format!("{key}.{name}"), found));
        }
        Value::Array(list) if list.iter().any(Value::is_table) => {
            list.iter().enumerate().for_each(|(at, value)| flatten(value, format!("{key}[{at}]"), found));
        }
        value => drop(found.insert(key, value.to_string())),
    }
}
