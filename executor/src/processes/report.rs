//! What a process reports to its supervisor: lines on its standard output.

use std::fmt;

/// What a process reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Report {
    /// How many items the process has to compute.
    Expected(usize),
    /// The item of this key has arrived with a value.
    Done(String),
    /// The item of this key has arrived as an error: key and error.
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
    /// Reads a line. `None` if the line is no report.
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
