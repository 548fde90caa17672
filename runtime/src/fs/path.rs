//! A path with methods for all operations on it.

use crate::fs::{File, FileError, ReadDir, job::job};
use std::{
    env,
    ffi::OsStr,
    fmt,
    fs::{Metadata, Permissions},
    io,
    ops::Div,
    path::{self, Component, PathBuf, StripPrefixError},
};

/// A path with methods for all operations on it; trio's `Path`.
///
/// It has the methods of `std::path::Path`. Methods that only look at the name are the same, and methods that ask
/// the system are async. It does not dereference to `std::path::Path`, because the methods of that type block. For
/// code that needs a `std::path::Path`, use [`Path::as_std`].
///
/// ```
/// use terzetto::fs::{Path, TempDir};
/// terzetto::run(async {
///     let dir = TempDir::new().await?;
///     let notes = dir.path() / "notes" / "today.txt";
///     notes.parent().unwrap().create_dir_all().await?;
///     notes.write("rain").await?;
///     assert_eq!(notes.with_extension("bak").try_exists().await?, false);
///     assert_eq!(notes.read_to_string().await?, "rain");
///     Ok(dir.close().await?)
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Path(PathBuf);

/// Methods that only look at the name.
impl Path {
    /// Makes a path from a name.
    pub fn new(path: impl AsRef<path::Path>) -> Path {
        Path(path.as_ref().to_owned())
    }

    /// The path as a type of the standard library.
    pub fn as_std(&self) -> &path::Path {
        &self.0
    }

    /// The path as a type of the standard library.
    pub fn into_std(self) -> PathBuf {
        self.0
    }

    /// The path to `name` from here. If `name` is absolute, the result is `name`. `a / b` is the same as `a.join(b)`.
    pub fn join(&self, name: impl AsRef<path::Path>) -> Path {
        Path(self.0.join(name))
    }

    /// The path without its last part. `None` for the root and for an empty path.
    pub fn parent(&self) -> Option<Path> {
        self.0.parent().map(Path::new)
    }

    /// The path, its parent, and so on.
    pub fn ancestors(&self) -> impl Iterator<Item = Path> {
        self.0.ancestors().map(Path::new)
    }

    /// The parts.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = Component<'_>> {
        self.0.components()
    }

    /// The last part, if that is a name.
    pub fn file_name(&self) -> Option<&OsStr> {
        self.0.file_name()
    }

    /// The last part without its extension.
    pub fn file_stem(&self) -> Option<&OsStr> {
        self.0.file_stem()
    }

    /// The part of the last component after its last dot.
    pub fn extension(&self) -> Option<&OsStr> {
        self.0.extension()
    }

    /// The path with another last part.
    pub fn with_file_name(&self, name: impl AsRef<OsStr>) -> Path {
        Path(self.0.with_file_name(name))
    }

    /// The path with another extension. An empty extension removes it.
    pub fn with_extension(&self, extension: impl AsRef<OsStr>) -> Path {
        Path(self.0.with_extension(extension))
    }

    /// Whether the path starts at the root.
    pub fn is_absolute(&self) -> bool {
        self.0.is_absolute()
    }

    /// Whether the path is relative to the working directory.
    pub fn is_relative(&self) -> bool {
        self.0.is_relative()
    }

    /// Whether its first parts are those of `base`.
    pub fn starts_with(&self, base: impl AsRef<path::Path>) -> bool {
        self.0.starts_with(base)
    }

    /// Whether its last parts are those of `end`.
    pub fn ends_with(&self, end: impl AsRef<path::Path>) -> bool {
        self.0.ends_with(end)
    }

    /// The rest of the path after `base`.
    ///
    /// # Errors
    /// If the path does not start with `base`.
    pub fn strip_prefix(&self, base: impl AsRef<path::Path>) -> Result<Path, StripPrefixError> {
        self.0.strip_prefix(base).map(Path::new)
    }

    /// For messages. Parts that are not UTF-8 are replaced.
    pub fn display(&self) -> path::Display<'_> {
        self.0.display()
    }
}

/// Defines methods that call a function of this module with the path as the first argument.
macro_rules! by_function {
    ($($(#[doc = $doc:literal])+ $name:ident, $function:path, ($($arg:ident: $type:ty),*) => $value:ty;)+) => {
        /// Methods that ask the system. Each is the function of the same name in this [module](super), with the same
        /// cancellation and errors.
        impl Path {$(
            $(#[doc = $doc])+
            ///
            /// # Errors
            /// Cancelled; the system's errors.
            pub async fn $name(&self $(, $arg: $type)*) -> Result<$value, FileError> {
                $function(&self.0 $(, $arg)*).await
            }
        )+}
    };
}

by_function! {
    /// Opens it for reading, like [`File::open`].
    open, File::open, () => File;
    /// Opens it for writing, and empties it, like [`File::create`].
    create, File::create, () => File;
    /// Reads it, as [`fs::read`](crate::fs::read).
    read, crate::fs::read, () => Vec<u8>;
    /// Reads it as a string, as [`fs::read_to_string`](crate::fs::read_to_string).
    read_to_string, crate::fs::read_to_string, () => String;
    /// Writes it, as [`fs::write`](crate::fs::write).
    write, crate::fs::write, (data: impl Into<Vec<u8>>) => ();
    /// Its metadata, as [`fs::metadata`](crate::fs::metadata).
    metadata, crate::fs::metadata, () => Metadata;
    /// Its metadata, without following links, as [`fs::symlink_metadata`](crate::fs::symlink_metadata).
    symlink_metadata, crate::fs::symlink_metadata, () => Metadata;
    /// Whether it leads to anything, as [`fs::try_exists`](crate::fs::try_exists).
    try_exists, crate::fs::try_exists, () => bool;
    /// Reads the entries of the folder, as [`fs::read_dir`](crate::fs::read_dir()).
    read_dir, crate::fs::read_dir, () => ReadDir;
    /// Makes the folder, as [`fs::create_dir`](crate::fs::create_dir).
    create_dir, crate::fs::create_dir, () => ();
    /// Makes the folder and its missing parents, as [`fs::create_dir_all`](crate::fs::create_dir_all).
    create_dir_all, crate::fs::create_dir_all, () => ();
    /// Removes the file, as [`fs::remove_file`](crate::fs::remove_file).
    remove_file, crate::fs::remove_file, () => ();
    /// Removes the empty folder, as [`fs::remove_dir`](crate::fs::remove_dir).
    remove_dir, crate::fs::remove_dir, () => ();
    /// Removes the folder with its contents, as [`fs::remove_dir_all`](crate::fs::remove_dir_all).
    remove_dir_all, crate::fs::remove_dir_all, () => ();
    /// Renames it, as [`fs::rename`](crate::fs::rename).
    rename, crate::fs::rename, (to: impl AsRef<path::Path>) => ();
    /// Copies the file, as [`fs::copy`](crate::fs::copy).
    copy, crate::fs::copy, (to: impl AsRef<path::Path>) => u64;
    /// Gives the file an additional name, as [`fs::hard_link`](crate::fs::hard_link).
    hard_link, crate::fs::hard_link, (link: impl AsRef<path::Path>) => ();
    /// Makes a symbolic link to it, as [`fs::symlink`](crate::fs::symlink).
    symlink, crate::fs::symlink, (link: impl AsRef<path::Path>) => ();
    /// Sets its permissions, as [`fs::set_permissions`](crate::fs::set_permissions).
    set_permissions, crate::fs::set_permissions, (permissions: Permissions) => ();
}

impl Path {
    /// The working directory of the process; trio's `Path.cwd`.
    ///
    /// # Errors
    /// Cancelled; the system's errors.
    pub async fn current_dir() -> Result<Path, FileError> {
        job("find", path::Path::new("."), |_| env::current_dir()).await.map(Path)
    }

    /// The home directory of the user; trio's `Path.home`.
    ///
    /// # Errors
    /// Cancelled; an error if there is no home directory.
    pub async fn home() -> Result<Path, FileError> {
        let find = |_: &path::Path| env::home_dir().ok_or_else(|| io::ErrorKind::NotFound.into());
        job("find", path::Path::new("~"), find).await.map(Path)
    }

    /// The path from the root. Links and `..` are left in it. This is trio's `absolute`.
    ///
    /// # Errors
    /// Cancelled; the system's errors about the working directory; an error if the path is empty.
    pub async fn absolute(&self) -> Result<Path, FileError> {
        job("make absolute", &self.0, |path| path::absolute(path)).await.map(Path)
    }

    /// The absolute path without symbolic links, dots, and double dots, as
    /// [`fs::canonicalize`](crate::fs::canonicalize).
    ///
    /// # Errors
    /// Cancelled; the system's errors.
    pub async fn canonicalize(&self) -> Result<Path, FileError> {
        crate::fs::canonicalize(&self.0).await.map(Path)
    }

    /// The target of the symbolic link, as [`fs::read_link`](crate::fs::read_link).
    ///
    /// # Errors
    /// Cancelled; the system's errors.
    pub async fn read_link(&self) -> Result<Path, FileError> {
        crate::fs::read_link(&self.0).await.map(Path)
    }

    /// Whether it leads to a file. If the user has no permission to find out, the answer is no, as in the standard
    /// library.
    ///
    /// # Errors
    /// Cancelled.
    pub async fn is_file(&self) -> Result<bool, FileError> {
        known(self.metadata().await, |metadata| metadata.is_file())
    }

    /// Whether it leads to a folder. If the user has no permission to find out, the answer is no, as in the standard
    /// library.
    ///
    /// # Errors
    /// Cancelled.
    pub async fn is_dir(&self) -> Result<bool, FileError> {
        known(self.metadata().await, |metadata| metadata.is_dir())
    }

    /// Whether it is a symbolic link. If the user has no permission to find out, the answer is no, as in the standard
    /// library.
    ///
    /// # Errors
    /// Cancelled.
    pub async fn is_symlink(&self) -> Result<bool, FileError> {
        known(self.symlink_metadata().await, |metadata| metadata.is_symlink())
    }
}

fn known(asked: Result<Metadata, FileError>, is: impl FnOnce(&Metadata) -> bool) -> Result<bool, FileError> {
    match asked {
        Ok(metadata) => Ok(is(&metadata)),
        Err(FileError::Failed { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

impl<P: AsRef<path::Path>> Div<P> for &Path {
    type Output = Path;

    /// The same as [`Path::join`].
    fn div(self, name: P) -> Path {
        self.join(name)
    }
}

impl<P: AsRef<path::Path>> Div<P> for Path {
    type Output = Path;

    /// The same as [`Path::join`].
    fn div(self, name: P) -> Path {
        self.join(name)
    }
}

impl AsRef<path::Path> for Path {
    fn as_ref(&self) -> &path::Path {
        &self.0
    }
}

impl AsRef<OsStr> for Path {
    fn as_ref(&self) -> &OsStr {
        self.0.as_os_str()
    }
}

impl<T: Into<PathBuf>> From<T> for Path {
    fn from(path: T) -> Path {
        Path(path.into())
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
