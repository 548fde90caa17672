//! The fingerprint of a file: it tells a file from another one, and from an earlier state of itself.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::file_name;

/// A file's name, length, checksum, and the time when it was last written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Fingerprint {
    pub name: String,
    pub length: u64,
    /// CRC-32, hexadecimal. It is empty if the file could not be read.
    pub checksum: String,
    /// Nanoseconds since 1970. Results have no time here: two runs that make the same results must write the same
    /// manifest.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub written: Option<u64>,
}

impl Fingerprint {
    /// The fingerprint of a file that is about to be written.
    pub fn of_bytes(name: &str, bytes: &[u8]) -> Fingerprint {
        let (length, checksum) = (bytes.len() as u64, checksum(bytes));
        Fingerprint { name: name.to_owned(), length, checksum, written: None }
    }

    /// Reads a file. The fingerprint is that of the bytes which were read.
    pub fn read(path: &Path) -> io::Result<(Fingerprint, Vec<u8>)> {
        let mut file = File::open(path)?;
        // The time is read before the bytes. If somebody writes in between, the file is newer than its
        // fingerprint says.
        let written = file.metadata().ok().and_then(|data| nanoseconds(data.modified().ok()?));
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let fingerprint = Fingerprint { written, ..Fingerprint::of_bytes(&file_name(path), &bytes) };
        Ok((fingerprint, bytes))
    }

    /// The fingerprint of a file. If the file cannot be read, an empty one.
    pub fn of_file(path: &Path) -> Fingerprint {
        Fingerprint::read(path).map_or_else(|_| Fingerprint::unreadable(path), |(fingerprint, _)| fingerprint)
    }

    /// The fingerprint of a file that cannot be read.
    pub fn unreadable(path: &Path) -> Fingerprint {
        Fingerprint { name: file_name(path), length: 0, checksum: String::new(), written: None }
    }

    /// Whether the file is unchanged, judged by its length and its time. `None` if they do not decide it, and the
    /// content must be read.
    pub fn is_unchanged(&self, path: &Path) -> Option<bool> {
        let Ok(data) = fs::metadata(path) else { return Some(self.checksum.is_empty()) };
        if data.len() != self.length {
            return Some(false);
        }
        let written = data.modified().ok().and_then(nanoseconds);
        (written.is_some() && written == self.written).then_some(true)
    }

    /// Have both files the same length and the same checksum?
    pub fn has_content_of(&self, other: &Fingerprint) -> bool {
        (other.length, &other.checksum) == (self.length, &self.checksum)
    }
}

/// A checksum of bytes, as text.
pub(crate) fn checksum(bytes: &[u8]) -> String {
    format!("{:08x}", crc32fast::hash(bytes))
}

fn nanoseconds(time: SystemTime) -> Option<u64> {
    let since = time.duration_since(UNIX_EPOCH).ok()?.as_nanos();
    // The largest number of TOML. It is reached in the year 2262.
    i64::try_from(since).ok()?.try_into().ok()
}

/// A short text that changes if the content of one of the files changes. It stands for files among the parameters,
/// such as a mask.
pub fn content_fingerprint(paths: &[impl AsRef<Path>]) -> String {
    let of_file = |path: &dyn AsRef<Path>| Fingerprint::of_file(path.as_ref());
    if let [path] = paths {
        let Fingerprint { length, checksum, .. } = of_file(path);
        return format!("{length} bytes, checksum {checksum}");
    }
    let line = |path| {
        let Fingerprint { name, length, checksum, .. } = of_file(path);
        format!("{name} {length} {checksum}\n")
    };
    let lines: String = paths.iter().map(|path| line(path as &dyn AsRef<Path>)).collect();
    format!("{} files, checksum {}", paths.len(), checksum(lines.as_bytes()))
}
