//! An open file.

use crate::{
    CancelScope, Error, checkpoint,
    fs::{
        FileError, OpenOptions,
        disposal::dispose,
        hook,
        job::{WRITE, job_with},
        unread::Kept,
    },
    lowlevel::checkpoint_if_cancelled,
    sync::{Permit, Semaphore},
    to_thread,
    to_thread::{DefaultLimit, Limit},
};
use std::{
    cell::Cell,
    fmt, fs,
    io::{self, ErrorKind, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The largest number of bytes that one call of [`File::read`] reads, because the data is copied on its way.
const MOST: usize = 1 << 20;

/// An open file; trio's asynchronous file object, with the methods of `std::fs::File`.
///
/// The methods take `&self`. Operations of several tasks are done one after the other, in the order in which they
/// were requested. There is no buffer: when [`File::write_all`] has returned, the system has the data. Each
/// operation costs a trip to a thread, except a read that finds data left by a dropped read. For many small reads,
/// use [`BufReader`](crate::fs::BufReader).
///
/// A read whose future is dropped, for example in a `select!`, loses nothing. The thread goes on, the next
/// operation waits for it, and the next read returns the data that it has read. A write or a seek does not count
/// such a read: it begins at the position where the last read that has *returned* ended. If the future of a write
/// is dropped, the write is still completed. If that write fails, the next write or sync fails with its error.
///
/// # Dropping
/// A dropped file is closed. It is closed at once if it was only read. If it was written to, it is closed in a
/// worker thread, because closing may then have to wait for a remote server. [`File::close`] waits until the file
/// is closed. Neither of them reports data that could not be written in the end; [`File::sync_all`] does.
///
/// ```
/// use std::io::SeekFrom;
/// use terzetto::fs::{File, TempDir};
/// terzetto::run(async {
///     let dir = TempDir::new().await?;
///     let file = File::options().read(true).write(true).create(true).open(dir.path().join("f")).await?;
///     file.write_all("one two").await?;
///     file.seek(SeekFrom::Start(4)).await?;
///     assert_eq!(file.read_to_string().await?, "two");
///     file.close().await?;
///     Ok(dir.close().await?)
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct File {
    path: PathBuf,
    open: Arc<Open>,
    closed: Cell<bool>,
    turn: Semaphore,
    writes: bool,
}

/// The file, on its way to a thread and back; `None` once it is closed. Nobody ever waits for the lock, because
/// only the operation whose turn it is takes it.
struct Open {
    file: Mutex<Option<fs::File>>,
    kept: Kept,
}

impl Open {
    fn lock(&self) -> MutexGuard<'_, Option<fs::File>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Lets one thread at a time use a file, in the order of the requests, until the thread is done. This includes the
/// thread of a dropped future, so that no operation overtakes its write.
struct InTurn<'a>(&'a Semaphore);

impl Limit for InTurn<'_> {
    type Token = (Permit, <DefaultLimit as Limit>::Token);

    async fn admit(&self) -> Result<Self::Token, Error> {
        let turn = self.0.acquire().await?;
        // A checkpoint. It gives one tick to the operation before, which is woken by now, to collect the data that it
        // has read.
        Ok((turn, DefaultLimit.admit().await?))
    }
}

impl File {
    pub(super) fn new(file: fs::File, path: PathBuf, writes: bool) -> File {
        let open = Arc::new(Open { file: Mutex::new(Some(file)), kept: Kept::default() });
        File { path, open, closed: Cell::new(false), turn: Semaphore::with_max(1, 1), writes }
    }

    /// Takes over an open file. `name` is used in messages.
    pub fn from_std(file: fs::File, name: impl Into<PathBuf>) -> File {
        File::new(file, name.into(), true)
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// The errors of [`OpenOptions::open`].
    pub async fn open(path: impl AsRef<Path>) -> Result<File, FileError> {
        File::options().read(true).open(path).await
    }

    /// Opens a file for writing. An existing file is emptied, and a missing file is created.
    ///
    /// # Errors
    /// The errors of [`OpenOptions::open`].
    pub async fn create(path: impl AsRef<Path>) -> Result<File, FileError> {
        File::options().write(true).create(true).truncate(true).open(path).await
    }

    /// Creates a file for reading and writing. Fails if the file exists already.
    ///
    /// # Errors
    /// The errors of [`OpenOptions::open`].
    pub async fn create_new(path: impl AsRef<Path>) -> Result<File, FileError> {
        File::options().read(true).write(true).create_new(true).open(path).await
    }

    /// Returns the options for all other ways to open a file.
    pub fn options() -> OpenOptions {
        OpenOptions::new()
    }

    /// Its name when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn renamed(&mut self, path: PathBuf) {
        self.path = path;
    }

    /// Runs `work` with the file when it is this operation's turn.
    async fn operate<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&mut fs::File, &Kept) -> io::Result<T> + Send + 'static,
    ) -> Result<T, FileError> {
        // The thread checks this, too: the file may be closed before this operation has its turn.
        let open = match self.closed.get() {
            true => return Err(FileError::Closed { path: self.path.clone() }),
            false => self.open.clone(),
        };
        let work = move |_: &Path| match &mut *open.lock() {
            Some(file) => work(file, &open.kept).map(Some),
            None => Ok(None),
        };
        let options = to_thread::options().limiter(InTurn(&self.turn));
        let done = job_with(options, action, &self.path, work).await?;
        done.ok_or_else(|| FileError::Closed { path: self.path.clone() })
    }

    /// Reads some bytes into `buffer`, as many as the system gives at once, and at most one mebibyte. Returns how many.
    /// Zero means the end of the file (or that `buffer` is empty).
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super). If the future is dropped, the next read returns the data that the thread
    /// reads.
    ///
    /// # Errors
    /// Cancelled; [`FileError::Closed`]; the system's errors.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize, FileError> {
        let chunk = self.read_chunk(buffer.len().min(MOST)).await?;
        buffer[..chunk.len()].copy_from_slice(&chunk);
        Ok(chunk.len())
    }

    /// Like [`File::read`], but returns a new buffer.
    pub(super) async fn read_chunk(&self, most: usize) -> Result<Vec<u8>, FileError> {
        if self.open.kept.has_unread() {
            // This needs no thread. So even a read that is dropped again and again makes progress.
            checkpoint().await?;
            if !self.closed.get()
                && let Ok(_turn) = self.turn.acquire_nowait()
            {
                let bytes = self.open.kept.take_some(most);
                if !bytes.is_empty() {
                    return Ok(bytes);
                }
            }
        }
        let read = move |file: &mut fs::File, bytes: &mut Vec<u8>| {
            if !bytes.is_empty() {
                return Ok(());
            }
            bytes.resize(most, 0);
            loop {
                match file.read(bytes) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    read => {
                        bytes.truncate(*read.as_ref().unwrap_or(&0));
                        return read.map(drop);
                    }
                }
            }
        };
        self.read_by(most, read).await
    }

    /// Runs `read` in a thread. It adds to the data that was read before and not given out. Returns the first `most`
    /// bytes of the whole.
    async fn read_by(
        &self,
        most: usize,
        read: impl Fn(&mut fs::File, &mut Vec<u8>) -> io::Result<()> + Clone + Send + 'static,
    ) -> Result<Vec<u8>, FileError> {
        loop {
            let (number, read) = (self.open.kept.number(), read.clone());
            let work = move |file: &mut fs::File, kept: &Kept| {
                let mut bytes = kept.take();
                match read(file, &mut bytes) {
                    Ok(()) => kept.put(bytes, number, most),
                    Err(error) => {
                        kept.put_back(bytes);
                        return Err(error);
                    }
                }
                Ok(())
            };
            self.operate("read", work).await?;
            // If this was polled so late that another operation has taken the data, it begins again.
            if let Some(bytes) = self.open.kept.collect(number) {
                return Ok(bytes);
            }
        }
    }

    /// Fills `buffer`.
    ///
    /// # Cancellation
    /// The same as [`File::read`].
    ///
    /// # Errors
    /// The errors of [`File::read`]; [`UnexpectedEof`](ErrorKind::UnexpectedEof) if the file ends before `buffer` is
    /// full.
    pub async fn read_exact(&self, buffer: &mut [u8]) -> Result<(), FileError> {
        let length = buffer.len();
        let read = move |file: &mut fs::File, bytes: &mut Vec<u8>| {
            let missing = length.saturating_sub(bytes.len());
            file.take(missing as u64).read_to_end(bytes).map(drop)
        };
        let bytes = self.read_by(length, read).await?;
        if bytes.len() < length {
            let error = io::Error::new(ErrorKind::UnexpectedEof, "the file ends before the buffer is full");
            return Err(FileError::new("read", &self.path, error));
        }
        buffer.copy_from_slice(&bytes);
        Ok(())
    }

    /// Reads the rest of the file.
    ///
    /// # Cancellation
    /// The same as [`File::read`].
    ///
    /// # Errors
    /// The errors of [`File::read`].
    pub async fn read_to_end(&self) -> Result<Vec<u8>, FileError> {
        let read = |file: &mut fs::File, bytes: &mut Vec<u8>| file.read_to_end(bytes).map(drop);
        self.read_by(usize::MAX, read).await
    }

    /// Reads the rest of the file as a string.
    ///
    /// # Cancellation
    /// The same as [`File::read`].
    ///
    /// # Errors
    /// The errors of [`File::read`]; [`InvalidData`](ErrorKind::InvalidData) if the data is not UTF-8.
    pub async fn read_to_string(&self) -> Result<String, FileError> {
        String::from_utf8(self.read_to_end().await?).map_err(|error| {
            let error = io::Error::new(ErrorKind::InvalidData, error.utf8_error());
            FileError::new("read", &self.path, error)
        })
    }

    /// Writes all of `data`. A vector or string is moved to the thread. A slice is copied.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super). If the future is dropped once the thread has begun, all of `data` is
    /// written, and the next operation waits for that.
    ///
    /// # Errors
    /// Cancelled: then nothing was written. [`FileError::Closed`]. The system's errors: then it is unknown how much was
    /// written. If the future of an earlier write was dropped and that write has failed, its error: then nothing of
    /// `data` was written.
    pub async fn write_all(&self, data: impl Into<Vec<u8>>) -> Result<(), FileError> {
        let (data, number) = (data.into(), self.open.kept.number());
        let write = move |file: &mut fs::File, kept: &Kept| {
            kept.failure(None).map_or(Ok(()), Err)?;
            kept.settle(file)?;
            match hook::write_all(file, &data) {
                Ok(()) => Ok(true),
                Err(error) => {
                    kept.fail(number, error);
                    Ok(false)
                }
            }
        };
        if self.operate(WRITE, write).await? {
            return Ok(());
        }
        let error = self.open.kept.failure(Some(number));
        let error =
            error.unwrap_or_else(|| io::Error::other("it failed, and a later operation has said why"));
        Err(FileError::new(WRITE, &self.path, error))
    }

    /// Moves the position where the next operation reads or writes. Returns the new position, counted from the start. A
    /// relative move starts after the data that reads have returned: a read whose future was dropped has not moved the
    /// position.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// Cancelled; [`FileError::Closed`]; the system's errors.
    pub async fn seek(&self, to: SeekFrom) -> Result<u64, FileError> {
        let seek = move |file: &mut fs::File, kept: &Kept| {
            kept.settle(file)?;
            file.seek(to)
        };
        self.operate("seek in", seek).await
    }

    /// Sets the length of the file in bytes. A longer file is cut off, and a shorter one is filled up with zeroes.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// The errors of [`File::seek`].
    pub async fn set_len(&self, length: u64) -> Result<(), FileError> {
        self.operate("set the length of", move |file, _| file.set_len(length)).await
    }

    /// Waits until everything that was written is on the disk, and fails if it could not be written. Also fails if the
    /// future of an earlier write was dropped and that write has failed.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// The errors of [`File::seek`].
    pub async fn sync_all(&self) -> Result<(), FileError> {
        self.operate("sync", |file, kept| synced(kept, file, fs::File::sync_all)).await
    }

    /// Like [`File::sync_all`], but leaves out metadata that is not needed to read the data again, such as times.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// The errors of [`File::seek`].
    pub async fn sync_data(&self) -> Result<(), FileError> {
        self.operate("sync", |file, kept| synced(kept, file, fs::File::sync_data)).await
    }

    /// Its length, type, permissions and times.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// The errors of [`File::seek`].
    pub async fn metadata(&self) -> Result<fs::Metadata, FileError> {
        self.operate("read the metadata of", |file, _| file.metadata()).await
    }

    /// Sets its permissions.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// The errors of [`File::seek`].
    pub async fn set_permissions(&self, permissions: fs::Permissions) -> Result<(), FileError> {
        self.operate("set the permissions of", move |file, _| file.set_permissions(permissions)).await
    }

    /// Returns another descriptor of the same open file. Both share one position.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// The errors of [`File::seek`].
    pub async fn try_clone_std(&self) -> Result<fs::File, FileError> {
        let clone = |file: &mut fs::File, kept: &Kept| {
            kept.settle(file)?;
            file.try_clone()
        };
        self.operate("clone", clone).await
    }

    /// Closes the file after all earlier operations, and waits until it is closed. Later operations fail because the
    /// file is closed. Closing it again is fine.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, it still closes the file, and then fails as cancelled.
    ///
    /// # Errors
    /// Cancelled. Errors of the system's `close` are not reported; see [`File::sync_all`].
    pub async fn close(&self) -> Result<(), FileError> {
        let shield = CancelScope::new().shielded(true);
        let closed = shield.run(async {
            if self.closed.get() {
                return Ok(checkpoint().await?);
            }
            let open = self.open.clone();
            let close = move |_: &Path| {
                drop(open.lock().take());
                Ok(())
            };
            let options = to_thread::options().limiter(InTurn(&self.turn));
            job_with(options, "close", &self.path, close).await?;
            self.closed.set(true);
            Ok(())
        });
        let closed = closed.await;
        if !self.closed.replace(true) {
            // The wait was interrupted, which no shield prevents, or no thread is available.
            dispose(ClosedOnDrop(self.open.clone()));
        }
        checkpoint_if_cancelled().await?;
        match closed.as_ref().err().and_then(Error::cancelled) {
            Some(interrupt) => Err(interrupt.clone().into()),
            None => Ok(()),
        }
    }
}

/// Waits for the disk by `sync`, unless an earlier write has failed.
fn synced(kept: &Kept, file: &fs::File, sync: impl Fn(&fs::File) -> io::Result<()>) -> io::Result<()> {
    kept.failure(None).map_or(Ok(()), Err)?;
    sync(file)?;
    hook::synced(file)
}

/// A file that is closed when this is dropped, no matter who else holds it.
struct ClosedOnDrop(Arc<Open>);

impl Drop for ClosedOnDrop {
    fn drop(&mut self) {
        drop(self.0.lock().take());
    }
}

impl Drop for File {
    fn drop(&mut self) {
        if self.writes && !self.closed.get() {
            dispose(self.open.clone());
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("File").field("path", &self.path).field("closed", &self.closed.get()).finish()
    }
}
