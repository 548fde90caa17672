//! What tells a file from another one, and from an earlier state of itself.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use crate::results::file_name;

/// A file's name, length and checksum, and when it was last written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Mark {
    pub name: String,
    pub length: u64,
    /// CRC-32, hexadecimal; of a file that could not be read, nothing.
    pub checksum: String,
    /// Nanoseconds since 1970; of results, nothing: two runs that make the same shall write the same.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub written: Option<u64>,
}

impl Mark {
    /// Of a file that is about to be written.
    pub fn of_bytes(name: &str, bytes: &[u8]) -> Mark {
        let (length, checksum) = (bytes.len() as u64, checksum(bytes));
        Mark { name: name.to_owned(), length, checksum, written: None }
    }

    /// Reads a file; the mark is that of the bytes which were read.
    pub fn read(path: &Path) -> io::Result<(Mark, Vec<u8>)> {
        let mut file = File::open(path)?;
        // Before the bytes: whoever writes in between makes the file newer than the mark says.
        let written = file.metadata().ok().and_then(|data| nanoseconds(data.modified().ok()?));
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let mark = Mark { written, ..Mark::of_bytes(&file_name(path), &bytes) };
        Ok((mark, bytes))
    }

    /// The mark of a file; of one that cannot be read, an empty one.
    pub fn of_file(path: &Path) -> Mark {
        Mark::read(path).map_or_else(|_| Mark::unreadable(path), |(mark, _)| mark)
    }

    pub fn unreadable(path: &Path) -> Mark {
        Mark { name: file_name(path), length: 0, checksum: String::new(), written: None }
    }

    /// Is the file what it was, as far as its length and its time tell? `None` if its content must be read.
    pub fn looks_like(&self, path: &Path) -> Option<bool> {
        let Ok(data) = fs::metadata(path) else { return Some(self.checksum.is_empty()) };
        if data.len() != self.length {
            return Some(false);
        }
        let written = data.modified().ok().and_then(nanoseconds);
        (written.is_some() && written == self.written).then_some(true)
    }

    /// Have both files the same length and the same checksum?
    pub fn has_content_of(&self, other: &Mark) -> bool {
        (other.length, &other.checksum) == (self.length, &self.checksum)
    }
}

/// One text for several files, which changes if the content or the name of any of them does.
pub(crate) fn mark_all(marks: &[Mark]) -> String {
    let lines: Vec<String> =
        marks.iter().map(|mark| format!("{} {} {}\n", mark.name, mark.length, mark.checksum)).collect();
    format!("{} files, checksum {}", marks.len(), checksum(lines.concat().as_bytes()))
}

pub(super) fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

fn nanoseconds(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    // TOML has numbers up to that, which is the year 2262.
    i64::try_from(since).ok()?.try_into().ok()
}

/// A short text that changes if the content of a file does, or of any of several files: for a mask or a background among
/// the parameters.
pub fn content_mark(paths: &[impl AsRef<Path>]) -> String {
    match paths {
        [one] => {
            let Mark { length, checksum, .. } = Mark::of_file(one.as_ref());
            format!("{length} bytes, checksum {checksum}")
        }
        several => mark_all(&several.iter().map(|path| Mark::of_file(path.as_ref())).collect::<Vec<_>>()),
    }
}
