//! Reading the entries of a folder.

use crate::fs::{FileError, Path, job::job};
use std::{
    collections::VecDeque,
    ffi::OsStr,
    fs, io,
    path::PathBuf,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The largest number of entries that one trip to a thread reads.
const BATCH: usize = 128;

/// The data of an entry that is known without asking the system again.
struct FoundEntry {
    path: PathBuf,
    file_type: io::Result<fs::FileType>,
}

struct Listing {
    dir: fs::ReadDir,
    ready: VecDeque<io::Result<FoundEntry>>,
}

/// The entries of a folder, in no particular order; made by [`read_dir`].
pub struct ReadDir {
    path: PathBuf,
    /// Entries that a thread has read stay here, even if nobody waits for them any more.
    listing: Arc<Mutex<Listing>>,
}

/// Opens a folder to read its entries. The entries `.` and `..` are left out.
///
/// # Cancellation
/// A checkpoint; see the [module](super).
///
/// # Errors
/// Cancelled; the system's errors.
///
/// ```
/// use terzetto::fs::{self, TempDir};
/// terzetto::run(async {
///     let dir = TempDir::new().await?;
///     fs::write(dir.path().join("a.txt"), "a").await?;
///     let mut entries = fs::read_dir(dir.path()).await?;
///     while let Some(entry) = entries.next().await? {
///         assert_eq!(entry.file_name(), "a.txt");
///         assert!(entry.file_type()?.is_file());
///     }
///     Ok(dir.close().await?)
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn read_dir(path: impl AsRef<std::path::Path>) -> Result<ReadDir, FileError> {
    let path = path.as_ref();
    let dir = job("list", path, |path| fs::read_dir(path)).await?;
    let listing = Arc::new(Mutex::new(Listing { dir, ready: VecDeque::new() }));
    Ok(ReadDir { path: path.to_owned(), listing })
}

fn lock(listing: &Mutex<Listing>) -> MutexGuard<'_, Listing> {
    listing.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Listing {
    fn fill(&mut self) {
        for entry in self.dir.by_ref().take(BATCH) {
            // On some file systems this asks the system for the type. So it is done here, in the thread.
            let found = entry.map(|entry| FoundEntry { path: entry.path(), file_type: entry.file_type() });
            self.ready.push_back(found);
        }
    }
}

impl ReadDir {
    /// The next entry; `None` after the last one.
    ///
    /// # Cancellation
    /// A checkpoint. Nothing is lost, even if the future is dropped.
    ///
    /// # Errors
    /// Cancelled; the system's error for an entry. Other entries may follow after such an error.
    pub async fn next(&mut self) -> Result<Option<DirEntry>, FileError> {
        if lock(&self.listing).ready.is_empty() {
            let listing = self.listing.clone();
            let fill = move |_: &std::path::Path| {
                let mut listing = lock(&listing);
                // A thread of an earlier, dropped future may have filled this already.
                if listing.ready.is_empty() {
                    listing.fill();
                }
                Ok(())
            };
            job("list", &self.path, fill).await?;
        } else {
            crate::checkpoint().await?;
        }
        let found = lock(&self.listing).ready.pop_front();
        match found.transpose() {
            Ok(found) => Ok(found.map(|FoundEntry { path, file_type }| DirEntry { path, file_type })),
            Err(error) => Err(FileError::new("list", &self.path, error)),
        }
    }
}

impl std::fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("ReadDir").field(&self.path).finish()
    }
}

/// An entry of a folder.
#[derive(Debug)]
pub struct DirEntry {
    path: PathBuf,
    file_type: io::Result<fs::FileType>,
}

impl DirEntry {
    /// The folder's path as it was given, joined with the entry's name.
    pub fn path(&self) -> Path {
        Path::new(&self.path)
    }

    /// Its name.
    pub fn file_name(&self) -> &OsStr {
        self.path.file_name().unwrap_or_default()
    }

    /// Whether it is a file, a folder, a symbolic link or something else. This does not ask the system.
    ///
    /// # Errors
    /// The system's error from when the entry was read.
    pub fn file_type(&self) -> Result<fs::FileType, FileError> {
        match &self.file_type {
            Ok(file_type) => Ok(*file_type),
            Err(error) => {
                let error = match error.raw_os_error() {
                    Some(code) => io::Error::from_raw_os_error(code),
                    None => error.kind().into(),
                };
                Err(FileError::new("read the type of", &self.path, error))
            }
        }
    }

    /// Its metadata. If it is a symbolic link, the metadata of the link itself.
    ///
    /// # Cancellation
    /// A checkpoint; see the [module](super).
    ///
    /// # Errors
    /// Cancelled; the system's errors.
    pub async fn metadata(&self) -> Result<fs::Metadata, FileError> {
        crate::fs::symlink_metadata(&self.path).await
    }
}
