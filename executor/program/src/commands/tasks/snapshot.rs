//! The snapshot of a run, as its socket gives it. The runtime's page `observe` describes the fields.

use std::{fmt::Write as _, io::Read, os::unix::net::UnixStream, path::Path, time::Duration};

use serde::Deserialize;
use terzetto_executor::BoxError;

/// The schema that this program knows.
const SCHEMA: &str = "terzetto-snapshot-1";
/// How long a run may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Default, Deserialize)]
pub struct Snapshot {
    schema: String,
    /// Why there is no snapshot.
    error: Option<String>,
    #[serde(default)]
    pub tick: u64,
    pub next_deadline_in: Option<f64>,
    #[serde(default)]
    pub outside: Vec<String>,
    #[serde(default)]
    pub cycles: Vec<Vec<u64>>,
    #[serde(default)]
    pub tasks: Vec<TaskState>,
    /// Seconds for which the snapshot has held up the run.
    #[serde(default)]
    pub took: f64,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct TaskState {
    pub id: u64,
    pub name: String,
    pub started_at: Option<Place>,
    pub parent: Option<u64>,
    pub state: String,
    pub stuck: bool,
    pub futurelocked: bool,
    pub waits: Vec<Wait>,
    pub scopes: Vec<Scope>,
    pub age: Option<f64>,
    pub steps: Option<u64>,
    pub busy: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Place {
    pub file: String,
    pub line: u32,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Wait {
    pub what: String,
    pub holders: Vec<u64>,
    pub details: Option<String>,
    pub ends_in: Option<f64>,
    pub deadline_in: Option<f64>,
    pub shielded_from: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Scope {
    pub deadline_in: Option<f64>,
    pub shielded: bool,
    pub cancelled: bool,
    pub reason: Option<String>,
}

impl Snapshot {
    /// Asks the run that serves this socket.
    pub fn read(socket: &Path) -> Result<Snapshot, BoxError> {
        let named = |error: std::io::Error| format!("the socket {}: {error}", socket.display());
        let mut stream = UnixStream::connect(socket).map_err(named)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(named)?;
        let mut json = String::new();
        stream.read_to_string(&mut json).map_err(named)?;
        if json.is_empty() {
            return Err(format!("the socket {}: the run has ended", socket.display()).into());
        }
        Snapshot::parse(&json)
    }

    /// Reads the text of a snapshot.
    pub fn parse(json: &str) -> Result<Snapshot, BoxError> {
        let snapshot: Snapshot = serde_json::from_str(json)
            .map_err(|error| format!("what came is no snapshot of a run: {error}"))?;
        if snapshot.schema != SCHEMA {
            let text = format!(
                "the run gives snapshots of the kind `{}`, and this program knows {SCHEMA}",
                snapshot.schema
            );
            return Err(text.into());
        }
        match snapshot.error {
            Some(error) => Err(error.into()),
            None => Ok(snapshot),
        }
    }
}

impl TaskState {
    /// Whether a scope of it is cancelled, or a shield hides a cancellation from it.
    pub fn is_cancelled(&self) -> bool {
        let hidden = self.waits.iter().any(|wait| wait.shielded_from.is_some());
        hidden || self.scopes.iter().any(|scope| scope.cancelled)
    }

    /// What it does, in some words.
    pub fn doing(&self) -> String {
        if self.waits.is_empty() {
            return self.state.clone();
        }
        let mut text = String::new();
        for wait in &self.waits {
            if !text.is_empty() {
                text.push_str(", ");
            }
            text.push_str(&wait.what);
            // Writing to a `String` cannot fail.
            let _ = match &wait.details {
                Some(details) => write!(text, " ({details})"),
                None => Ok(()),
            };
            let _ = match wait.holders.len() {
                0 => Ok(()),
                1 => write!(text, " → #{}", wait.holders[0]),
                n => write!(text, " → #{} and {} more", wait.holders[0], n - 1),
            };
        }
        text
    }
}
