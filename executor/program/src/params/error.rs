//! Errors in files of parameters, with the file, the key and the value.

use std::{error::Error, fmt, io};

use terzetto_kernels::PivError;

/// A value that is not valid, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// The whole key, such as `piv.passes[1].window`. Elements are counted from 0.
    pub key: String,
    /// The value, and what it must be.
    pub problem: String,
}

impl Invalid {
    /// A value of a section that is not valid.
    pub(super) fn new(key: impl Into<String>, problem: impl Into<String>) -> Invalid {
        Invalid { key: key.into(), problem: problem.into() }
    }

    /// The same value, with the key of the section around it.
    pub(super) fn within(self, section: &str) -> Invalid {
        let key = if self.key.is_empty() { section.to_owned() } else { format!("{section}.{}", self.key) };
        Invalid { key, ..self }
    }

    /// The error for a file, or for another source of parameters such as the command line.
    pub fn of(self, file: &str) -> ParamsError {
        ParamsError { file: file.to_owned(), line: None, key: self.key, problem: self.problem }
    }
}

/// The kernels have the same names for their parameters as files.
impl From<PivError> for Invalid {
    fn from(error: PivError) -> Invalid {
        match error {
            PivError::Parameter { name, value, wanted } => {
                Invalid::new(name, format!("{value}, must be {wanted}"))
            }
            PivError::Pass { index, error } => Invalid::from(*error).within(&format!("passes[{index}]")),
            other => Invalid::new("", other.to_string()),
        }
    }
}

/// A file of parameters that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParamsError {
    file: String,
    line: Option<usize>,
    key: String,
    problem: String,
}

impl ParamsError {
    pub(super) fn unreadable(file: &str, error: &io::Error) -> ParamsError {
        let problem = format!("cannot be read: {error}");
        ParamsError { file: file.to_owned(), line: None, key: String::new(), problem }
    }

    /// An error of the TOML reader.
    pub(super) fn syntax(file: &str, key: &str, error: &toml::de::Error, text: &str) -> ParamsError {
        let line = error
            .span()
            .and_then(|span| text.get(..span.start))
            .map(|before| before.matches('\n').count() + 1);
        // The path of an error at the top level is a dot.
        let key = if key == "." { "" } else { key };
        let problem = error.message().trim().replace('\n', ", ");
        ParamsError { file: file.to_owned(), line, key: key.to_owned(), problem }
    }
}

impl fmt::Display for ParamsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.problem)
    }
}

impl Error for ParamsError {}
