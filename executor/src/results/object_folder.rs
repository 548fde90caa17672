//! A folder on object storage, such as S3.

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    future::Future,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, path::Path};
use tokio::runtime::{Builder, Runtime};

use super::fingerprint::Fingerprint;

/// A folder on object storage: all objects whose names begin with its name and `/`. The store is any one of the crate
/// `object_store`. Clouds are features of that crate, such as `object_store/aws` for S3.
///
/// The methods block, and are for [io works](crate::Topology::io), whose threads may wait. The requests are made by
/// tokio, on a thread of the folder. Do not call them, or drop the folder, inside a runtime of tokio.
///
/// An object is written by one request, and is then there as a whole: nobody ever reads half of it.
///
/// ```
/// use std::sync::Arc;
/// use object_store::memory::InMemory;
/// use terzetto_executor::results::ObjectFolder;
///
/// let folder = ObjectFolder::new(Arc::new(InMemory::new()), "runs/1")?;
/// folder.write("text.txt", b"ada".to_vec())?;
/// assert_eq!(folder.list()?, ["text.txt"]);
/// assert_eq!(folder.read("text.txt")?, b"ada");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ObjectFolder {
    store: Arc<dyn ObjectStore>,
    folder: Path,
    requests: Runtime,
    /// The fingerprint of each object when it was read.
    read: Mutex<HashMap<String, Fingerprint>>,
}

/// A request that has failed.
#[derive(Debug)]
pub struct ObjectError {
    /// What was to be done.
    what: String,
    source: object_store::Error,
}

impl ObjectError {
    /// Is there no such object?
    pub fn is_not_found(&self) -> bool {
        matches!(self.source, object_store::Error::NotFound { .. })
    }
}

impl fmt::Display for ObjectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {}: {}", self.what, self.source)
    }
}

impl Error for ObjectError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.source)
    }
}

impl ObjectFolder {
    /// A folder of a store. It need not exist: object storage has names only.
    ///
    /// # Errors
    /// `folder` is no path, such as `a//b`; the system's error if no thread can be started.
    pub fn new(store: Arc<dyn ObjectStore>, folder: &str) -> io::Result<ObjectFolder> {
        let folder =
            Path::parse(folder).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let requests = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("object storage")
            .enable_all()
            .build()?;
        Ok(ObjectFolder { store, folder, requests, read: Mutex::default() })
    }

    /// The names of the objects in the folder, in order. What lies in folders inside of it is left out.
    ///
    /// # Errors
    /// [`ObjectError`] if a request fails.
    pub fn list(&self) -> Result<Vec<String>, ObjectError> {
        let list = self.store.list_with_delimiter(Some(&self.folder));
        let found = self.wait(list, || format!("list `{}`", self.folder))?;
        let names = found.objects.iter().filter_map(|object| object.location.filename());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        Ok(names)
    }

    /// Reads an object, and remembers its fingerprint for manifests.
    ///
    /// # Errors
    /// [`ObjectError`] if a request fails.
    pub fn read(&self, name: &str) -> Result<Vec<u8>, ObjectError> {
        let what = || format!("read `{}/{name}`", self.folder);
        let path = self.path(name, what)?;
        let get = async {
            let found = self.store.get(&path).await?;
            let written = written(&found.meta);
            Ok((written, found.bytes().await?.to_vec()))
        };
        let (written, bytes) = self.wait(get, what)?;
        let fingerprint = Fingerprint { written, ..Fingerprint::of_bytes(name, &bytes) };
        self.read.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), fingerprint);
        Ok(bytes)
    }

    /// Writes an object, or replaces it, as a whole.
    ///
    /// # Errors
    /// [`ObjectError`] if a request fails. Then the object is what it was, or is written; it is never half.
    pub fn write(&self, name: &str, bytes: Vec<u8>) -> Result<(), ObjectError> {
        let what = || format!("write `{}/{name}`", self.folder);
        let path = self.path(name, what)?;
        self.wait(self.store.put(&path, bytes.into()), what).map(drop)
    }

    /// The length and time of an object. `None` if there is none of this name.
    pub(super) fn look(&self, name: &str) -> Result<Option<(u64, Option<u64>)>, ObjectError> {
        let what = || format!("look for `{}/{name}`", self.folder);
        let path = self.path(name, what)?;
        match self.wait(self.store.head(&path), what) {
            Ok(object) => Ok(Some((object.size, written(&object)))),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The fingerprint of an object: as it was when it was read, or as it is now.
    pub(super) fn fingerprint(&self, name: &str) -> Result<Fingerprint, ObjectError> {
        let known = || self.read.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if let Some(known) = known() {
            return Ok(known);
        }
        self.read(name)?;
        Ok(known().unwrap_or_else(|| Fingerprint::unreadable(name.as_ref())))
    }

    /// An object keeps its name as it is: one that the storage would have to change is refused.
    fn path(&self, name: &str, what: impl FnOnce() -> String) -> Result<Path, ObjectError> {
        let text =
            if self.folder.as_ref().is_empty() { name.to_owned() } else { format!("{}/{name}", self.folder) };
        Path::parse(text).map_err(|error| ObjectError { what: what(), source: error.into() })
    }

    fn wait<T>(
        &self,
        request: impl Future<Output = object_store::Result<T>>,
        what: impl FnOnce() -> String,
    ) -> Result<T, ObjectError> {
        self.requests.block_on(request).map_err(|source| ObjectError { what: what(), source })
    }
}

impl fmt::Debug for ObjectFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectFolder({} in {})", self.folder, self.store)
    }
}

/// Nanoseconds since 1970. Storage tells the time to a second or a millisecond.
fn written(object: &ObjectMeta) -> Option<u64> {
    object.last_modified.timestamp_nanos_opt()?.try_into().ok()
}
