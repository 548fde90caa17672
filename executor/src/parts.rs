//! The record of how a series was split, in the folder for results.
//!
//! Parts fit together only if all of them split the same series into the same number of parts. A task that is
//! submitted again may be told another number, and a camera may have added images in the meantime. Then items would
//! be computed twice, or not at all, and nobody would notice. So the first part writes down how it splits the series,
//! and a part that contradicts it is refused.

use std::{
    error::Error,
    fmt,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{results::content_checksum, shard::Shard};

/// The name of the record in a folder for results.
const RECORD: &str = "parts.toml";

/// A part cannot be computed, because other parts have split the series otherwise.
#[derive(Debug)]
#[non_exhaustive]
pub enum PartsError {
    /// The parts contradict each other: the record, and the differences.
    Contradiction(PathBuf, Vec<String>),
    /// The record cannot be read or written.
    Io(PathBuf, io::Error),
}

impl fmt::Display for PartsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PartsError::Contradiction(record, differences) => write!(
                f,
                "other parts of the series were split otherwise: {}. Say the same (--parts), or compute what is \
                 missing without a part (--parts 1). `{}` has the record; remove it to split the series anew",
                differences.join("; "),
                record.display()
            ),
            PartsError::Io(path, error) => write!(f, "cannot read or write `{}`: {error}", path.display()),
        }
    }
}

// The message already has the system's error.
impl Error for PartsError {}

/// Writes down how a series is split, or compares this with what an earlier part has written. `items` are the names
/// of all items of the series, in order. With `look_only` nothing is written.
///
/// ```
/// use terzetto_executor::{Shard, agree_on_parts};
///
/// let folder = std::env::temp_dir().join(format!("agree-on-parts-{}", std::process::id()));
/// std::fs::create_dir_all(&folder)?;
/// agree_on_parts(&folder, "1/16".parse()?, ["a", "b", "c"], false)?;
/// agree_on_parts(&folder, "3/16".parse()?, ["a", "b", "c"], false)?;
/// assert!(agree_on_parts(&folder, "1/2".parse()?, ["a", "b", "c"], false).is_err());
/// assert!(agree_on_parts(&folder, "4/16".parse()?, ["a", "b", "c", "d"], false).is_err());
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// [`PartsError`] if the number of parts or the items are others than those of an earlier part.
pub fn agree_on_parts<'a>(
    folder: &Path,
    shard: Shard,
    items: impl IntoIterator<Item = &'a str>,
    look_only: bool,
) -> Result<(), PartsError> {
    let path = folder.join(RECORD);
    let (mut count, mut names) = (0_usize, String::new());
    for item in items {
        count += 1;
        names.push_str(item);
        names.push('\n');
    }
    let own = format!(
        "parts = {}\nitems = {count}\nnames = \"{}\"\n",
        shard.count(),
        content_checksum(names.as_bytes())
    );
    let failed = |error| PartsError::Io(path.clone(), error);
    let written = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && look_only => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => write_first(&path, &own).map_err(failed)?,
        read => read.map_err(failed)?,
    };
    let differences = differences(&written, &own);
    if differences.is_empty() { Ok(()) } else { Err(PartsError::Contradiction(path, differences)) }
}

/// Writes the record if there is none, and returns what is in it then: of several parts that begin together, one is
/// the first. A link fails if the name exists, also over NFS; so nobody sees half a record.
fn write_first(path: &Path, text: &str) -> io::Result<String> {
    let temporary = path.with_file_name(format!(".{RECORD}.{}-{}", crate::job::host(), std::process::id()));
    File::create(&temporary)?.write_all(text.as_bytes())?;
    let linked = fs::hard_link(&temporary, path);
    fs::remove_file(&temporary)?;
    match linked {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        // A file system without links.
        Err(_) => match File::create_new(path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => created?.write_all(text.as_bytes())?,
        },
        Ok(()) => {}
    }
    fs::read_to_string(path)
}

fn differences(then: &str, now: &str) -> Vec<String> {
    let value = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.split_once(" = ").filter(|(key, _)| *key == name));
        line.map_or("unknown".to_owned(), |(_, value)| value.to_owned())
    };
    let mut found = Vec::new();
    for (name, noun) in [("parts", "parts"), ("items", "items in the series")] {
        let (then, now) = (value(then, name), value(now, name));
        if then != now {
            found.push(format!("there were {then} {noun}, and now {now}"));
        }
    }
    if found.is_empty() && value(then, "names") != value(now, "names") {
        found.push("the items of the series have other names now".to_owned());
    }
    found
}
