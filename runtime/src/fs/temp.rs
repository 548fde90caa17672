//! Files and folders that are removed when they are dropped.

use crate::{
    CancelScope,
    fs::{File, FileError, Path, disposal::dispose, job::job},
    lowlevel::checkpoint_if_cancelled,
};
use std::{env, io};

/// Does `work` even if the task is cancelled, and then fails with the cancellation.
async fn shielded(work: impl Future<Output = Result<(), FileError>>) -> Result<(), FileError> {
    let shield = CancelScope::new().shielded(true);
    let done = shield.run(async { Ok(work.await) }).await;
    checkpoint_if_cancelled().await?;
    // Nobody cancels this scope itself, so there is always an outcome.
    done.ok().flatten().unwrap_or(Ok(()))
}

/// A folder that is removed with its contents when it is closed or dropped.
///
/// Dropping it removes the folder in a worker thread, and the run waits for this thread before it ends. A failure
/// is then logged. [`TempDir::close`] waits for the removal.
///
/// ```
/// use terzetto::fs::TempDir;
/// terzetto::run(async {
///     let dir = TempDir::new().await?;
///     let path = dir.path().clone();
///     path.join("inside").write("x").await?;
///     dir.close().await?;
///     assert!(!path.try_exists().await?);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Debug)]
pub struct TempDir {
    path: Path,
    inner: Option<tempfile::TempDir>,
}

impl TempDir {
    /// Makes a folder in the system's folder for temporary files.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super). If the future is dropped, the folder is removed.
    ///
    /// # Errors
    /// Cancelled; the system's errors.
    pub async fn new() -> Result<TempDir, FileError> {
        TempDir::new_in(env::temp_dir()).await
    }

    /// Like [`TempDir::new`], in the folder `parent`.
    ///
    /// # Errors
    /// The errors of [`TempDir::new`].
    pub async fn new_in(parent: impl AsRef<std::path::Path>) -> Result<TempDir, FileError> {
        let made = job("make a temporary folder in", parent.as_ref(), |parent| tempfile::tempdir_in(parent));
        let inner = made.await?;
        Ok(TempDir { path: Path::new(inner.path()), inner: Some(inner) })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Keeps the folder: it is not removed any more.
    pub fn keep(mut self) -> Path {
        if let Some(inner) = self.inner.take() {
            let _kept = inner.keep();
        }
        self.path.clone()
    }

    /// Removes the folder with its contents.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, it still removes the folder, and then fails as cancelled.
    ///
    /// # Errors
    /// Cancelled; the system's errors.
    pub async fn close(mut self) -> Result<(), FileError> {
        let Some(inner) = self.inner.take() else { return Ok(()) };
        shielded(job("remove folder", self.path.as_std(), move |_| inner.close())).await
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            dispose(RemovedOnDrop(Some(inner)));
        }
    }
}

/// A folder that is removed when this is dropped, in any thread. A failure is logged.
struct RemovedOnDrop(Option<tempfile::TempDir>);

impl Drop for RemovedOnDrop {
    fn drop(&mut self) {
        let Some(inner) = self.0.take() else { return };
        let path = inner.path().to_owned();
        if let Err(error) = inner.close() {
            log::warn!("the temporary folder {path:?} cannot be removed: {error}");
        }
    }
}

/// A file that is removed when it is closed or dropped, unless it is moved to a permanent path.
///
/// So it can replace a file in one step: readers see either the old file or the new one.
///
/// ```
/// use terzetto::fs::{self, TempDir, TempFile};
/// terzetto::run(async {
///     let dir = TempDir::new().await?;
///     let new = TempFile::new_in(dir.path()).await?;
///     new.file().write_all("complete").await?;
///     new.file().sync_all().await?;
///     new.persist(dir.path().join("report")).await?;
///     assert_eq!(fs::read_to_string(dir.path().join("report")).await?, "complete");
///     Ok(dir.close().await?)
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Debug)]
pub struct TempFile {
    path: Path,
    file: Option<File>,
    inner: Option<tempfile::TempPath>,
}

impl TempFile {
    /// Makes a file in the system's folder for temporary files. Only this user may read and write it.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super). If the future is dropped, the file is removed.
    ///
    /// # Errors
    /// Cancelled; the system's errors.
    pub async fn new() -> Result<TempFile, FileError> {
        TempFile::new_in(env::temp_dir()).await
    }

    /// Like [`TempFile::new`], in the folder `parent`. If the file is to replace another one, give that file's folder
    /// here, because a file cannot be renamed from one file system to another.
    ///
    /// # Errors
    /// The errors of [`TempFile::new`].
    pub async fn new_in(parent: impl AsRef<std::path::Path>) -> Result<TempFile, FileError> {
        let make = |parent: &std::path::Path| tempfile::NamedTempFile::new_in(parent);
        let made = job("make a temporary file in", parent.as_ref(), make).await?;
        let (file, inner) = made.into_parts();
        let path = Path::new(&inner);
        Ok(TempFile { file: Some(File::from_std(file, &path)), path, inner: Some(inner) })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The open file.
    pub fn file(&self) -> &File {
        match &self.file {
            Some(file) => file,
            None => unreachable!("taken out only by what uses up the whole"),
        }
    }

    /// Moves the file to the path `to`, and replaces an existing file there in one step. The file keeps the permissions
    /// of a temporary file: only its owner can read it, unless other permissions are set.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super). If cancelled, the file is removed.
    ///
    /// # Errors
    /// Cancelled; the system's errors. The file is removed in both cases.
    pub async fn persist(mut self, to: impl AsRef<std::path::Path>) -> Result<File, FileError> {
        let to = to.as_ref();
        let (Some(mut file), Some(inner)) = (self.file.take(), self.inner.take()) else {
            unreachable!("taken out only by what uses up the whole")
        };
        let target = to.to_owned();
        let rename = move |_: &std::path::Path| inner.persist(target).map_err(io::Error::from);
        let done = job("rename temporary file", self.path.as_std(), rename).await;
        done.map_err(|error| error.with_other(to))?;
        file.renamed(to.to_owned());
        Ok(file)
    }

    /// Closes and removes the file.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, it still removes the file, and then fails as cancelled.
    ///
    /// # Errors
    /// Cancelled; the system's errors.
    pub async fn close(mut self) -> Result<(), FileError> {
        let (file, inner) = (self.file.take(), self.inner.take());
        let work = async {
            if let Some(file) = file {
                file.close().await?;
            }
            match inner {
                Some(inner) => job("remove", self.path.as_std(), move |_| inner.close()).await,
                None => Ok(()),
            }
        };
        shielded(work).await
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            dispose(inner);
        }
    }
}
