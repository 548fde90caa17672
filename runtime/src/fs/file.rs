//! An open file.

use super::{FileError, OpenOptions, disposal::dispose, job::job};
use crate::{CancelScope, checkpoint, checkpoint_if_cancelled, sync::Semaphore};
use std::{
    cell::RefCell,
    fmt, fs,
    io::{self, ErrorKind, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// The most that one call of [`File::read`] reads: it is copied on its way.
const MOST: usize = 1 << 20;

/// An open file; trio's asynchronous file object, with the methods of `std::fs::File`.
///
/// Operations take `&self`, and those of several tasks are done one after the other, in the order of
/// asking. There is no buffer: what [`File::write_all`] has written is with the system, and each
/// operation costs a trip to a thread. For many small reads there is [`BufReader`](super::BufReader).
///
/// # Dropping
/// A file that is dropped is closed: at once if it was only read, and in a worker thread if it was
/// written to, since closing may then have to wait for a distant server. [`File::close`] waits for
/// it. Neither tells of data that could not be written in the end; [`File::sync_all`] does.
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
    /// None once it is closed. The lock is held in threads only: it keeps apart the operation that
    /// has its turn and one whose future was dropped, whose thread goes on.
    open: RefCell<Option<Arc<Mutex<fs::File>>>>,
    /// Who may send the file to a thread.
    turn: Semaphore,
    writes: bool,
}

impl File {
    pub(super) fn new(file: fs::File, path: PathBuf, writes: bool) -> File {
        let open = RefCell::new(Some(Arc::new(Mutex::new(file))));
        File { path, open, turn: Semaphore::with_max(1, 1), writes }
    }

    /// Takes over an open file; `name` is for messages.
    pub fn from_std(file: fs::File, name: impl Into<PathBuf>) -> File {
        File::new(file, name.into(), true)
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    pub async fn open(path: impl AsRef<Path>) -> Result<File, FileError> {
        File::options().read(true).open(path).await
    }

    /// Opens a file for writing; it is emptied, or made.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    pub async fn create(path: impl AsRef<Path>) -> Result<File, FileError> {
        File::options().write(true).create(true).truncate(true).open(path).await
    }

    /// Opens a file for reading and writing that must not be there yet.
    ///
    /// # Errors
    /// As [`OpenOptions::open`].
    pub async fn create_new(path: impl AsRef<Path>) -> Result<File, FileError> {
        File::options().read(true).write(true).create_new(true).open(path).await
    }

    /// All other ways to open a file.
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

    /// Has `work` done with the file when it is its turn.
    async fn operate<T: Send + 'static>(
        &self,
        action: &'static str,
        work: impl FnOnce(&mut fs::File) -> io::Result<T> + Send + 'static,
    ) -> Result<T, FileError> {
        let _turn = match self.turn.acquire_nowait() {
            Ok(turn) => turn,
            Err(_) => self.turn.acquire().await?,
        };
        let open = self.open.borrow().clone();
        let open = open.ok_or_else(|| FileError::Closed { path: self.path.clone() })?;
        let work = move |_: &Path| work(&mut open.lock().unwrap_or_else(PoisonError::into_inner));
        job(action, &self.path, work).await
    }

    /// Reads some bytes into `buffer`, as many as the system gives at once, and at most a mebibyte;
    /// returns how many. Zero is the end of the file (or that `buffer` is empty).
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super). If the future is dropped, what the thread reads is lost.
    ///
    /// # Errors
    /// Cancelled; [`FileError::Closed`]; what the system says.
    pub async fn read(&self, buffer: &mut [u8]) -> Result<usize, FileError> {
        let chunk = self.read_chunk(buffer.len().min(MOST)).await?;
        buffer[..chunk.len()].copy_from_slice(&chunk);
        Ok(chunk.len())
    }

    /// As [`File::read`], in a buffer of its own.
    pub(super) async fn read_chunk(&self, most: usize) -> Result<Vec<u8>, FileError> {
        let read = move |file: &mut fs::File| {
            let mut chunk = vec![0; most];
            loop {
                match file.read(&mut chunk) {
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    read => {
                        chunk.truncate(read?);
                        return Ok(chunk);
                    }
                }
            }
        };
        self.operate("read", read).await
    }

    /// Fills `buffer`.
    ///
    /// # Cancellation
    /// As [`File::read`].
    ///
    /// # Errors
    /// As [`File::read`]; [`UnexpectedEof`](ErrorKind::UnexpectedEof) if the file ends before.
    pub async fn read_exact(&self, buffer: &mut [u8]) -> Result<(), FileError> {
        let length = buffer.len();
        let read = move |file: &mut fs::File| {
            let mut bytes = vec![0; length];
            file.read_exact(&mut bytes)?;
            Ok(bytes)
        };
        buffer.copy_from_slice(&self.operate("read", read).await?);
        Ok(())
    }

    /// Reads all that is left.
    ///
    /// # Cancellation
    /// As [`File::read`].
    ///
    /// # Errors
    /// As [`File::read`].
    pub async fn read_to_end(&self) -> Result<Vec<u8>, FileError> {
        let read = |file: &mut fs::File| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        self.operate("read", read).await
    }

    /// Reads all that is left, as a text.
    ///
    /// # Cancellation
    /// As [`File::read`].
    ///
    /// # Errors
    /// As [`File::read`]; [`InvalidData`](ErrorKind::InvalidData) if it is not UTF-8.
    pub async fn read_to_string(&self) -> Result<String, FileError> {
        let read = |file: &mut fs::File| {
            let mut text = String::new();
            file.read_to_string(&mut text)?;
            Ok(text)
        };
        self.operate("read", read).await
    }

    /// Writes all of `data`. A vector or string is moved to the thread, a slice is copied.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// Cancelled, and nothing was written; [`FileError::Closed`]; what the system says, and nobody
    /// knows how much was written.
    pub async fn write_all(&self, data: impl Into<Vec<u8>>) -> Result<(), FileError> {
        let data = data.into();
        self.operate("write to", move |file| file.write_all(&data)).await
    }

    /// Moves the place where the next operation reads or writes; returns it, from the start.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// Cancelled; [`FileError::Closed`]; what the system says.
    pub async fn seek(&self, to: SeekFrom) -> Result<u64, FileError> {
        self.operate("seek in", move |file| file.seek(to)).await
    }

    /// Cuts the file off, or fills it up with zeroes, to this length in bytes.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// As [`File::seek`].
    pub async fn set_len(&self, length: u64) -> Result<(), FileError> {
        self.operate("set the length of", move |file| file.set_len(length)).await
    }

    /// Waits until what was written is on the disk, and says if it could not be.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// As [`File::seek`].
    pub async fn sync_all(&self) -> Result<(), FileError> {
        self.operate("sync", |file| file.sync_all()).await
    }

    /// As [`File::sync_all`], without what is not needed to read the data again, such as times.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// As [`File::seek`].
    pub async fn sync_data(&self) -> Result<(), FileError> {
        self.operate("sync", |file| file.sync_data()).await
    }

    /// Its length, type, permissions and times.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// As [`File::seek`].
    pub async fn metadata(&self) -> Result<fs::Metadata, FileError> {
        self.operate("read the metadata of", |file| file.metadata()).await
    }

    /// Sets its permissions.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// As [`File::seek`].
    pub async fn set_permissions(&self, permissions: fs::Permissions) -> Result<(), FileError> {
        self.operate("set the permissions of", move |file| file.set_permissions(permissions)).await
    }

    /// Another descriptor of the same open file: both have the same place in it.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// As [`File::seek`].
    pub async fn try_clone_std(&self) -> Result<fs::File, FileError> {
        self.operate("clone", |file| file.try_clone()).await
    }

    /// Closes the file, after the operations that were asked for before, and waits for it. Later
    /// operations find it closed; closing it again is fine.
    ///
    /// # Cancellation
    /// A checkpoint. Cancelled, it closes all the same, and fails as cancelled afterwards.
    ///
    /// # Errors
    /// Cancelled. The system's errors when it closes are not seen; see [`File::sync_all`].
    pub async fn close(&self) -> Result<(), FileError> {
        let shield = CancelScope::new().shielded(true);
        let closed = shield.run(async {
            let _turn = self.turn.acquire().await?;
            let open = self.open.take();
            match open {
                // Without a thread the file goes with the work that was to close it.
                Some(open) => {
                    let close = move |_: &Path| {
                        drop(open);
                        Ok(())
                    };
                    job("close", &self.path, close).await?;
                }
                None => checkpoint().await?,
            }
            Ok(())
        });
        // What the scope returns matters less than whether we are cancelled.
        let closed = closed.await;
        checkpoint_if_cancelled().await?;
        match closed {
            Ok(_) => Ok(()),
            Err(error) => Err(FileError::new("close", &self.path, io::Error::other(error))),
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        match self.open.take() {
            Some(open) if self.writes => dispose(open),
            read_only => drop(read_only),
        }
    }
}

impl fmt::Debug for File {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let closed = self.open.borrow().is_none();
        f.debug_struct("File").field("path", &self.path).field("closed", &closed).finish()
    }
}
