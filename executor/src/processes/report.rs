//! What a process tells the one that supervises it: lines on its standard output.

use std::{
    fmt,
    io::{Read, Write},
    thread,
};

use super::PARENT_VARIABLE;
use crate::{
    graph::{ItemError, Key},
    run::{Control, Observer},
};

/// Something that a process tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// So many items are to be computed.
    Expected(usize),
    /// The item of this key has reached its end with a value.
    Done(String),
    /// The item of this key has reached its end as an error.
    Failed(String, String),
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let one_line = |text: &str| text.replace(['\n', '\r', '\t'], " ");
        match self {
            Report::Expected(count) => write!(f, "expected\t{count}"),
            Report::Done(key) => write!(f, "done\t{}", one_line(key)),
            Report::Failed(key, error) => write!(f, "failed\t{}\t{}", one_line(key), one_line(error)),
        }
    }
}

impl Report {
    /// Reads a line; `None` if it is no report.
    pub(super) fn parse(line: &str) -> Option<Report> {
        let mut fields = line.split('\t');
        Some(match (fields.next()?, fields.next()?, fields.next()) {
            ("expected", count, None) => Report::Expected(count.parse().ok()?),
            ("done", key, None) => Report::Done(key.to_owned()),
            ("failed", key, Some(error)) => Report::Failed(key.to_owned(), error.to_owned()),
            _ => return None,
        })
    }
}

/// Tells a supervisor, on the standard output, what comes of each item.
pub struct Reporter(());

impl Reporter {
    /// The reporter of this process, if it was started by [`Processes`](super::Processes).
    pub fn if_supervised() -> Option<Reporter> {
        std::env::var_os(PARENT_VARIABLE).map(|_| Reporter(()))
    }

    /// Tells how many items are to be computed. To be called before the run.
    pub fn expect(&self, count: usize) {
        tell(&Report::Expected(count));
    }

    /// Ends the run when the supervisor is gone: nobody would start what is missing again.
    pub fn follow(&self, control: Control) {
        let watch = move || {
            let mut buffer = [0; 64];
            while matches!(std::io::stdin().read(&mut buffer), Ok(1..)) {}
            control.cancel();
        };
        if let Err(error) = thread::Builder::new().name("supervisor's end".into()).spawn(watch) {
            log::warn!("cannot watch for the supervisor's end: {error}");
        }
    }
}

impl Observer for Reporter {
    fn arrived(&self, key: &Key, error: Option<&ItemError>) {
        let key = key.to_string();
        tell(&match error {
            None => Report::Done(key),
            Some(error) => Report::Failed(key, error.to_string()),
        });
    }
}

fn tell(report: &Report) {
    // One write for one line; if nobody listens any more, `follow` will see to it.
    let _ = std::io::stdout().lock().write_all(format!("{report}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_read_as_they_were_written() {
        let failed = Report::Failed("im 1-2".into(), "cannot read: no such file".into());
        for report in [Report::Expected(12), Report::Done("im 1-2".into()), failed] {
            assert_eq!(Report::parse(&report.to_string()), Some(report));
        }
        assert_eq!(Report::Failed("a\tb".into(), "c\nd".into()).to_string(), "failed\ta b\tc d");
        for line in ["", "done", "done\ta\tb", "expected\tmany", "computing"] {
            assert_eq!(Report::parse(line), None, "{line}");
        }
    }
}
