//! Running an operation in a worker thread and returning its result.

use crate::{
    Error,
    fs::{FileError, hook},
    sleep, to_thread,
    to_thread::{Limit, Options},
};
use std::{io, path::Path};

/// The action of all operations that write data.
pub(super) const WRITE: &str = "write to";

/// Runs `work` in a worker thread. The system's error is combined with the name of the file. In the error, `action`
/// follows the word "cannot".
///
/// # Cancellation
/// A checkpoint before the work begins. Once it has begun, its result is returned.
pub(super) async fn job<T: Send + 'static>(
    action: &'static str,
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, FileError> {
    job_with(to_thread::options(), action, path, work).await
}

/// Like [`job`], with options.
pub(super) async fn job_with<T: Send + 'static>(
    options: Options<impl Limit>,
    action: &'static str,
    path: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, FileError> {
    let (owned, disk) = (path.to_owned(), hook::of_this_run());
    if let Some(seconds) = disk.as_ref().map(|disk| disk.latency(path)).filter(|seconds| *seconds > 0.0) {
        sleep(seconds).await?;
    }
    let writes = action == WRITE;
    let done = options.name(action).run_sync(move || hook::operate(disk, &owned, writes, work)).await;
    match done {
        Ok(outcome) => outcome.map_err(|error| FileError::new(action, path, error)),
        Err(error) => Err(not_done(action, path, error)),
    }
}

/// The work never began, because the task was cancelled or no thread is available.
fn not_done(action: &'static str, path: &Path, error: Error) -> FileError {
    match error.cancelled() {
        Some(cancelled) => FileError::Cancelled(cancelled.clone()),
        None => FileError::new(action, path, io::Error::other(error)),
    }
}
