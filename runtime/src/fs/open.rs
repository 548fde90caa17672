//! How a file is to be opened.

use crate::fs::{File, FileError, job::job};
use std::{fs, os::unix::fs::OpenOptionsExt, path::Path};

/// How a file is to be opened: as `std::fs::OpenOptions`, whose meaning all the methods have.
///
/// ```
/// use terzetto::fs::{OpenOptions, TempDir};
/// terzetto::run(async {
///     let dir = TempDir::new().await?;
///     let log = OpenOptions::new().append(true).create(true).open(dir.path().join("log")).await?;
///     log.write_all("first\n").await?;
///     log.close().await?;
///     Ok(dir.close().await?)
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "options do nothing until a file is opened with them"]
pub struct OpenOptions {
    inner: fs::OpenOptions,
    writes: bool,
}

impl Default for OpenOptions {
    fn default() -> Self {
        OpenOptions::new()
    }
}

impl OpenOptions {
    /// Nothing is set.
    pub fn new() -> OpenOptions {
        OpenOptions { inner: fs::OpenOptions::new(), writes: false }
    }

    /// Whether it is read.
    pub fn read(mut self, read: bool) -> Self {
        self.inner.read(read);
        self
    }

    /// Whether it is written to.
    pub fn write(mut self, write: bool) -> Self {
        self.inner.write(write);
        self.writes |= write;
        self
    }

    /// Whether all that is written goes to its end.
    pub fn append(mut self, append: bool) -> Self {
        self.inner.append(append);
        self.writes |= append;
        self
    }

    /// Whether it is emptied.
    pub fn truncate(mut self, truncate: bool) -> Self {
        self.inner.truncate(truncate);
        self
    }

    /// Whether it is made if it is not there.
    pub fn create(mut self, create: bool) -> Self {
        self.inner.create(create);
        self
    }

    /// Whether it must not be there, and is made.
    pub fn create_new(mut self, create_new: bool) -> Self {
        self.inner.create_new(create_new);
        self
    }

    /// The permissions of a file that is made, less the umask; 0o666 by default.
    pub fn mode(mut self, mode: u32) -> Self {
        self.inner.mode(mode);
        self
    }

    /// Further flags of the system's `open`.
    pub fn custom_flags(mut self, flags: i32) -> Self {
        self.inner.custom_flags(flags);
        self
    }

    /// Opens the file.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super). If the future is dropped, the file is closed, but it may
    /// have been made or emptied.
    ///
    /// # Errors
    /// Cancelled; what the system says, such as [`NotFound`](std::io::ErrorKind::NotFound).
    pub async fn open(self, path: impl AsRef<Path>) -> Result<File, FileError> {
        let path = path.as_ref();
        let OpenOptions { inner, writes } = self;
        let file = job("open", path, move |path| inner.open(path)).await?;
        Ok(File::new(file, path.to_owned(), writes))
    }
}
