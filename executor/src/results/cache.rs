//! A cache of results, addressed by what they are made of.
//!
//! A manifest says whether a result that is in its place is still right. A cache answers another question: has
//! anybody computed this before, in whatever run, on whatever machine? So its files have no names of items. The name
//! of an entry is a hash of all that the result depends on: program, parameters, the content of the inputs. If one of
//! these changes, so does the name, and an entry never has to be declared out of date.
//!
//! Entries are written like results, whole or not at all, so that several runs and machines can share a folder. A
//! checksum tells an entry that was damaged later; it is computed again.

use std::{
    fmt,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::SystemTime,
};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{WriteError, write_atomic_unsynced};
use crate::graph::BoxError;

/// What a result is made of, as a hash. Two results of one key are the same.
///
/// Everything that the result depends on must go in. The order counts, and so do the labels.
///
/// ```
/// use terzetto_executor::results::CacheKey;
///
/// let key = |window: u32| {
///     let key = CacheKey::new("example 1.0", "smooth").with("window", &window)?.with_bytes("image", b"...");
///     Ok::<_, terzetto_executor::BoxError>(key.to_string())
/// };
/// assert_eq!(key(3)?, key(3)?);
/// assert_ne!(key(3)?, key(5)?);
/// # Ok::<(), terzetto_executor::BoxError>(())
/// ```
#[derive(Clone)]
pub struct CacheKey(Sha256);

impl CacheKey {
    /// A key for results of a work of a program. The program's name must have its version.
    pub fn new(program: &str, work: &str) -> CacheKey {
        CacheKey(Sha256::new()).with_bytes("program", program.as_bytes()).with_bytes("work", work.as_bytes())
    }

    /// Adds a parameter, or a structure of parameters.
    ///
    /// # Errors
    /// The value cannot be written as TOML.
    pub fn with(self, label: &str, value: &impl Serialize) -> Result<CacheKey, BoxError> {
        let mut table = toml::Table::new();
        table.insert("value".to_owned(), toml::Value::try_from(value)?);
        Ok(self.with_bytes(label, toml::to_string(&table)?.as_bytes()))
    }

    /// Adds bytes, such as the content of an input.
    #[must_use]
    pub fn with_bytes(mut self, label: &str, bytes: &[u8]) -> CacheKey {
        // The lengths keep `ab` and `c` apart from `a` and `bc`.
        for part in [label.as_bytes(), bytes] {
            self.0.update((part.len() as u64).to_le_bytes());
            self.0.update(part);
        }
        self
    }

    /// Adds the content of a file. Its name and its time do not count.
    ///
    /// # Errors
    /// The system's error if the file cannot be read.
    pub fn with_file(self, label: &str, path: &Path) -> io::Result<CacheKey> {
        let mut file = File::open(path)?;
        let (mut content, mut buffer) = (Sha256::new(), vec![0; 1 << 16]);
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => content.update(&buffer[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.with_bytes(label, &content.finalize()))
    }
}

impl fmt::Display for CacheKey {
    /// The hash, hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = self.0.clone().finalize();
        hash.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({self})")
    }
}

/// A folder of results by their [keys](CacheKey). Runs and machines may share it. Clones are the same cache.
///
/// ```
/// use terzetto_executor::{ExecutorAsync, Options, Topology, results::{Cache, CacheKey}};
///
/// let folder = std::env::temp_dir().join(format!("cache-example-{}", std::process::id()));
/// let run = || {
///     let cache = Cache::new(&folder);
///     let used = cache.clone();
///     let mut topology = Topology::new("lengths");
///     let (texts, lengths) = (topology.queue::<String>("texts"), topology.results::<usize>("lengths"));
///     // Two items of one content are made once.
///     let list = ["one", "two", "one"].into_iter().enumerate();
///     topology.source("list", &texts, list.map(|(n, text)| (n.to_string(), text.to_owned())));
///     topology.cpu("measure", &texts).max_workers(1).to(&lengths).each(move |_, text| {
///         let key = CacheKey::new("example 1.0", "measure").with_bytes("text", text.as_bytes());
///         let bytes = used.get_or_make(&key, || Ok(text.len().to_le_bytes().to_vec()))?;
///         Ok(usize::from_le_bytes(bytes.as_slice().try_into()?))
///     });
///     let outcome = terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
///     assert_eq!(outcome.done, 3);
///     Ok::<_, terzetto::Error>((cache.hits(), cache.misses()))
/// };
/// assert_eq!(run()?, (1, 2));
/// assert_eq!(run()?, (3, 0));
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    counts: Arc<[AtomicU64; 2]>,
}

impl Cache {
    /// The cache in a folder. The folder is made when the first entry is written.
    pub fn new(folder: impl Into<PathBuf>) -> Cache {
        Cache { folder: folder.into(), counts: Arc::default() }
    }

    /// The result of a key. If there is none, `make` makes it, and it is kept.
    ///
    /// Two that ask for the same key at the same time may both make it.
    ///
    /// # Errors
    /// The error of `make`. If the result cannot be kept, as on a full disk, the log says so, and it is returned all
    /// the same.
    pub fn get_or_make(
        &self,
        key: &CacheKey,
        make: impl FnOnce() -> Result<Vec<u8>, BoxError>,
    ) -> Result<Vec<u8>, BoxError> {
        if let Some(bytes) = self.get(key) {
            return Ok(bytes);
        }
        let bytes = make()?;
        if let Err(error) = self.put(key, &bytes) {
            log::warn!("a result is not kept in the cache: {error}");
        }
        Ok(bytes)
    }

    /// The result of a key, if there is one and it is whole.
    pub fn get(&self, key: &CacheKey) -> Option<Vec<u8>> {
        let path = self.path(key);
        let found = fs::read(&path).ok().and_then(|entry| {
            let bytes = unpack(entry);
            if bytes.is_none() {
                log::warn!("`{}` is damaged: it is computed again", path.display());
            }
            bytes
        });
        self.counts[usize::from(found.is_none())].fetch_add(1, Relaxed);
        if found.is_some() {
            // `trim` goes by this time. If it cannot be set, the entry is forgotten earlier.
            let _ =
                File::options().append(true).open(path).and_then(|file| file.set_modified(SystemTime::now()));
        }
        found
    }

    /// Keeps the result of a key.
    ///
    /// # Errors
    /// [`WriteError`] if the entry cannot be written.
    pub fn put(&self, key: &CacheKey, bytes: &[u8]) -> Result<(), WriteError> {
        let path = self.path(key);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(|error| WriteError::new(&path, error))?;
        }
        write_atomic_unsynced(&path, &pack(bytes))
    }

    /// How many results were found.
    pub fn hits(&self) -> u64 {
        self.counts[0].load(Relaxed)
    }

    /// How many results were not found.
    pub fn misses(&self) -> u64 {
        self.counts[1].load(Relaxed)
    }

    /// Removes entries until the rest has `max_bytes` at most: first those that were not used for the longest time.
    /// Returns how many bytes are left. Others may use the cache meanwhile.
    ///
    /// # Errors
    /// The system's error if the folder cannot be listed.
    pub fn trim(&self, max_bytes: u64) -> io::Result<u64> {
        let mut entries = Vec::new();
        for group in list(&self.folder)? {
            for path in list(&group)? {
                // An entry may have gone by now.
                if let Ok(data) = fs::metadata(&path).and_then(|data| Ok((data.modified()?, data.len()))) {
                    entries.push((data, path));
                }
            }
        }
        entries.sort();
        let mut left: u64 = entries.iter().map(|((_, length), _)| length).sum();
        for ((_, length), path) in entries {
            if left <= max_bytes {
                break;
            }
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    log::warn!("`{}` stays in the cache: {error}", path.display());
                }
                _ => left -= length,
            }
        }
        Ok(left)
    }

    /// `ab/cdef…`: folders with a million entries are slow on many file systems.
    fn path(&self, key: &CacheKey) -> PathBuf {
        let name = key.to_string();
        let (group, rest) = name.split_at(2);
        self.folder.join(group).join(rest)
    }
}

/// The paths in a folder. None if there is no such folder.
fn list(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(Vec::new())
        }
        entries => entries?.map(|entry| Ok(entry?.path())).collect(),
    }
}

/// An entry: the bytes, and then their checksum.
fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut entry = bytes.to_vec();
    entry.extend_from_slice(&Sha256::digest(bytes));
    entry
}

fn unpack(mut entry: Vec<u8>) -> Option<Vec<u8>> {
    let length = entry.len().checked_sub(Sha256::output_size())?;
    let checksum = entry.split_off(length);
    (Sha256::digest(&entry).as_slice() == checksum).then_some(entry)
}
