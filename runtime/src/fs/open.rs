//! How a file is to be opened.

use crate::fs::{File, FileError, job::job};
use std::{fs, os::unix::fs::OpenOptionsExt, path::Path};

/// How a file is to be opened. All methods have the same meaning as those of `std::fs::OpenOptions`.
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
    /// Makes options in which nothing is set.
    pub fn new() -> OpenOptions {
        OpenOptions { inner: fs::OpenOptions::new(), writes: false }
    }

    /// Whether the file is opened for reading.
    pub fn read(mut self, read: bool) -> Self {
        self.inner.read(read);
        self
    }

    /// Whether the file is opened for writing.
    pub fn write(mut self, write: bool) -> Self {
        self.inner.write(write);
        self.writes |= write;
        self
    }

    /// Whether everything that is written goes to the end of the file.
    pub fn append(mut self, append: bool) -> Self {
        self.inner.append(append);
        self.writes |= append;
        self
    }

    /// Whether the file is emptied when it is opened.
    pub fn truncate(mut self, truncate: bool) -> Self {
        self.inner.truncate(truncate);
        self
    }

    /// Whether the file is created if it does not exist.
    pub fn create(mut self, create: bool) -> Self {
        self.inner.create(create);
        self
    }

    /// Whether the file is created, and must not exist already.
    pub fn create_new(mut self, create_new: bool) -> Self {
        self.inner.create_new(create_new);
        self
    }

    /// The permissions of a file that is created, minus the umask; 0o666 by default.
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
    /// A checkpoint; see the [module](super). If the future is dropped, the file is closed, but it may have been
    /// created or emptied.
    ///
    /// # Errors
    /// Cancelled; the system's errors, such as [`NotFound`](std::io::ErrorKind::NotFound).
    pub async fn open(self, path: impl AsRef<Path>) -> Result<File, FileError> {
        let path = path.as_ref();
        let OpenOptions { inner, writes } = self;
        let file = job("open", path, move |path| inner.open(path)).await?;
        Ok(File::new(file, path.to_owned(), writes))
    }
}
