//! Finding paths by patterns, and paths as URIs.

use crate::fs::{FileError, Path, job::job};
use std::{
    fmt::Write,
    io::{self, ErrorKind},
    os::unix::ffi::OsStrExt,
};

/// The same as in a shell, except that `*` also matches a leading dot, as in Python.
const OPTIONS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

impl Path {
    /// The paths below this folder that match the pattern, in alphabetical order; trio's `glob`.
    ///
    /// `*` matches any characters of a name, `?` matches one character, and `[ab]` matches one of several characters.
    /// `**` as a whole part matches any number of folders. Folders that may not be read are skipped.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// Cancelled; a [`FileError`] of kind `InvalidInput` if the pattern is wrong, empty or absolute, or if this path is
    /// not UTF-8.
    ///
    /// ```
    /// use terzetto::fs::{Path, TempDir};
    /// terzetto::run(async {
    ///     let dir = TempDir::new().await?;
    ///     for name in ["a.txt", "b.txt", "c.png"] {
    ///         (dir.path() / name).write("").await?;
    ///     }
    ///     let texts = dir.path().glob("*.txt").await?;
    ///     assert_eq!(texts, [dir.path() / "a.txt", dir.path() / "b.txt"]);
    ///     Ok(dir.close().await?)
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub async fn glob(&self, pattern: &str) -> Result<Vec<Path>, FileError> {
        let pattern = pattern.to_owned();
        job("look for a pattern in", self.as_std(), move |folder| find(folder, &pattern)).await
    }

    /// Like [`Path::glob`], in this folder and all folders below it; trio's `rglob`.
    ///
    /// # Cancellation
    /// The same as [`Path::glob`].
    ///
    /// # Errors
    /// The errors of [`Path::glob`].
    pub async fn rglob(&self, pattern: &str) -> Result<Vec<Path>, FileError> {
        if pattern.is_empty() || pattern.starts_with('/') {
            // So that the error describes the pattern as it was given.
            return self.glob(pattern).await;
        }
        self.glob(&format!("**/{pattern}")).await
    }

    /// The path as a URI, `file:///…`; trio's `as_uri`. All bytes that have a special meaning there are escaped.
    ///
    /// # Errors
    /// If the path is relative.
    ///
    /// ```
    /// use terzetto::fs::Path;
    /// assert_eq!(Path::new("/a b/ü").as_uri()?, "file:///a%20b/%C3%BC");
    /// assert!(Path::new("a").as_uri().is_err());
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn as_uri(&self) -> Result<String, FileError> {
        if !self.is_absolute() {
            let error = io::Error::new(
                ErrorKind::InvalidInput,
                "a relative path has no address: make it absolute first",
            );
            return Err(FileError::new("make an address of", self.as_std(), error));
        }
        let mut uri = String::from("file://");
        for &byte in self.as_std().as_os_str().as_bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                    uri.push(byte.into());
                }
                // Writing to a string does not fail.
                _ => drop(write!(uri, "%{byte:02X}")),
            }
        }
        Ok(uri)
    }
}

fn find(folder: &std::path::Path, pattern: &str) -> io::Result<Vec<Path>> {
    let invalid = |text: String| io::Error::new(ErrorKind::InvalidInput, text);
    if pattern.is_empty() {
        return Err(invalid("the pattern is empty".into()));
    }
    if pattern.starts_with('/') {
        return Err(invalid(format!("the pattern {pattern:?} is absolute: it is looked for below a folder")));
    }
    let folder = folder.to_str().ok_or_else(|| invalid("its name is no text".into()))?;
    let whole = match folder {
        "" => pattern.to_owned(),
        _ => format!("{}/{pattern}", glob::Pattern::escape(folder.trim_end_matches('/'))),
    };
    let found = glob::glob_with(&whole, OPTIONS)
        .map_err(|error| invalid(format!("the pattern {pattern:?} is wrong: {error}")))?;
    // An error means that a folder may not be read.
    Ok(found.filter_map(Result::ok).map(Path::from).collect())
}
