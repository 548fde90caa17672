//! Files that are whole or absent.
//!
//! A run may end at any moment: by Ctrl-C, a full disk, a power cut. After that, every file in the folder for
//! results must be whole. So a file is first written under a temporary name, in the same folder, because a
//! rename is atomic only within one file system. Then its content is forced to the disk, and the file gets its
//! name. Without the `fsync` before the rename, a crash could leave the name with no content.

use std::{
    error::Error,
    fmt,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    process,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, SystemTime},
};

use crate::job::{host, is_running};

/// A file could not be written.
#[derive(Debug)]
pub struct WriteError {
    path: PathBuf,
    source: io::Error,
}

impl WriteError {
    pub(super) fn new(path: &Path, source: io::Error) -> WriteError {
        WriteError { path: path.to_owned(), source }
    }

    /// The file that was to be written.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl fmt::Display for WriteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot write `{}`", self.path.display())
    }
}

impl Error for WriteError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

/// Writes a file. At any moment, its name has either what it had before or the whole of `bytes`.
///
/// # Errors
///
/// [`WriteError`] with the path and the system's error. No temporary file is left.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write(path, bytes, true).map_err(|source| WriteError::new(path, source))
}

/// As [`write_atomic`], but after a crash of the machine the name may have no content.
pub(crate) fn write_atomic_unsynced(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write(path, bytes, false).map_err(|source| WriteError::new(path, source))
}

fn write(path: &Path, bytes: &[u8], synced: bool) -> io::Result<()> {
    let temporary = Temporary(temporary_name(path)?);
    let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary.0)?;
    file.write_all(bytes)?;
    if synced {
        file.sync_all()?;
    }
    drop(file);
    fs::rename(&temporary.0, path)?;
    if synced {
        sync_folder(path);
    }
    Ok(())
}

/// The time of a folder's file system. Times of files in the folder can be compared with it. On a shared disk it
/// may differ from the time of this machine.
///
/// # Errors
///
/// [`WriteError`] if no file can be made in the folder.
pub fn time_in(folder: &Path) -> Result<SystemTime, WriteError> {
    let path = folder.join("time");
    let now = || {
        let temporary = Temporary(temporary_name(&path)?);
        File::create_new(&temporary.0)?.metadata()?.modified()
    };
    now().map_err(|source| WriteError { path: path.clone(), source })
}

/// A temporary file. It is removed on drop, unless it was renamed.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        // Usually there is no such file. An error could be reported to nobody.
        let _ = fs::remove_file(&self.0);
    }
}

const SUFFIX: &str = ".part";

/// `.name.host-process-count.part`, in the folder of `path`. The name is cut, because a long one would become too
/// long. It is there for people; the numbers tell files apart.
fn temporary_name(path: &Path) -> io::Result<PathBuf> {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let start: String = name.to_string_lossy().chars().take(30).collect();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let temporary = format!(".{start}.{}-{}-{count}{SUFFIX}", host(), process::id());
    Ok(path.with_file_name(temporary))
}

/// Forces the new name of a file to the disk. Not every system can do that. The file is whole in any case, so a
/// failure is no error.
fn sync_folder(path: &Path) {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(folder) = File::open(folder.unwrap_or(Path::new("."))) {
        let _ = folder.sync_all();
    }
}

/// Removes temporary files that a killed process has left in `folder`, and returns their paths. Call it before
/// this process writes there.
///
/// Files of processes that still run are kept. For a process of another machine that cannot be known. Its files
/// are kept if they are younger than an hour.
///
/// # Errors
///
/// The system's error if the folder cannot be listed or a file cannot be removed.
pub fn remove_leftovers(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(writer) = name.to_str().and_then(writer_of) else {
            continue;
        };
        let running = match writer {
            // This process has not written yet. So an earlier process of the same number has left the file.
            (host_of, pid) if host_of == host() => {
                if pid == process::id() {
                    Some(false)
                } else {
                    is_running(pid)
                }
            }
            _ => None,
        };
        let is_left = running.map_or_else(|| is_old(&entry), |running| !running);
        if is_left {
            fs::remove_file(entry.path())?;
            removed.push(entry.path());
        }
    }
    Ok(removed)
}

/// The machine and the process in the name of a temporary file, if it is such a name.
fn writer_of(name: &str) -> Option<(&str, u32)> {
    let rest = name.strip_prefix('.')?.strip_suffix(SUFFIX)?;
    let (_, last) = rest.rsplit_once('.')?;
    let (writer, count) = last.rsplit_once('-')?;
    let (host, process) = writer.rsplit_once('-')?;
    count.parse::<u64>().ok()?;
    Some((host, process.parse().ok()?))
}

fn is_old(entry: &fs::DirEntry) -> bool {
    entry
        .metadata()
        .and_then(|metadata| metadata.modified())
        .ok()
        .and_then(|time| time.elapsed().ok())
        .is_some_and(|age| age > Duration::from_secs(3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_writes_any_more_is_removed() -> io::Result<()> {
        let folder = std::env::temp_dir().join(format!("terzetto-leftovers-{}", process::id()));
        fs::create_dir_all(&folder)?;
        let own = host();
        // A process that runs, one that does not, and one of another machine, new and old.
        let [alive, dead, elsewhere, forgotten] = [
            format!(".a.{own}-1-0.part"),
            format!(".a.{own}-{}-0.part", u32::MAX),
            format!(".a.{own}x-1-0.part"),
            format!(".a.{own}x-1-1.part"),
        ]
        .map(|name| folder.join(name));
        for path in [&alive, &dead, &elsewhere, &forgotten] {
            File::create(path)?;
        }
        let long_ago = std::time::SystemTime::now() - Duration::from_secs(7200);
        File::options().append(true).open(&forgotten)?.set_modified(long_ago)?;
        let mut removed = remove_leftovers(&folder)?;
        removed.sort();
        let mut expected = [dead, forgotten];
        expected.sort();
        assert_eq!(removed, expected);
        assert!(alive.exists() && elsewhere.exists());
        fs::remove_dir_all(folder)
    }

    #[test]
    fn temporary_names_are_recognised() {
        let name = temporary_name(Path::new("out/piv_1-2.csv")).expect("a file name");
        assert_eq!(name.parent(), Some(Path::new("out")));
        let name = name.file_name().and_then(|name| name.to_str()).expect("text");
        assert_eq!(writer_of(name), Some((&*host(), process::id())));
        assert_eq!(writer_of(".a.csv.node-7-12-0.part"), Some(("node-7", 12)));
        for other in
            ["piv_1-2.csv", ".hidden.part", ".a.12.part", ".a.x-1.part", "a.h-1-1.part", ".a.h-x-1.part"]
        {
            assert_eq!(writer_of(other), None, "{other}");
        }
    }
}
