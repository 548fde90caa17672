//! The functions of `std::fs`.

use crate::fs::{
    FileError, hook,
    job::{WRITE, job},
};
use std::{
    fs, io,
    os::unix,
    path::{Path, PathBuf},
};

/// Defines functions that take one path.
macro_rules! of_one_path {
    ($($(#[doc = $doc:literal])+ $name:ident, $action:literal, $work:expr => $value:ty;)+) => {$(
        $(#[doc = $doc])+
        ///
        /// # Cancellation
        /// A checkpoint; see the [module](super).
        ///
        /// # Errors
        /// Cancelled; the system's errors.
        pub async fn $name(path: impl AsRef<Path>) -> Result<$value, FileError> {
            job($action, path.as_ref(), $work).await
        }
    )+};
}

/// Defines functions that take two paths.
macro_rules! of_two_paths {
    ($($(#[doc = $doc:literal])+ $name:ident, $action:literal, $work:expr => $value:ty;)+) => {$(
        $(#[doc = $doc])+
        ///
        /// # Cancellation
        /// A checkpoint; see the [module](super).
        ///
        /// # Errors
        /// Cancelled; the system's errors.
        pub async fn $name(from: impl AsRef<Path>, to: impl AsRef<Path>) -> Result<$value, FileError> {
            let (from, to) = (from.as_ref(), to.as_ref());
            let second = to.to_owned();
            let done = job($action, from, move |first| $work(first, &second)).await;
            done.map_err(|error| error.with_other(to))
        }
    )+};
}

of_one_path! {
    /// Reads a whole file.
    read, "read", |path| fs::read(path) => Vec<u8>;

    /// Reads a whole file as a string. Fails with [`InvalidData`](std::io::ErrorKind::InvalidData) if the file is not
    /// UTF-8.
    read_to_string, "read", |path| fs::read_to_string(path) => String;

    /// Returns the length, type, permissions and times of the file that the path leads to.
    metadata, "read the metadata of", |path| fs::metadata(path) => fs::Metadata;

    /// Like [`metadata`], but for a symbolic link itself.
    symlink_metadata, "read the metadata of", |path| fs::symlink_metadata(path) => fs::Metadata;

    /// Whether the path leads to anything. If the user has no permission to find out, that is an error.
    try_exists, "look for", |path| fs::exists(path) => bool;

    /// The absolute path without symbolic links, dots, and double dots.
    canonicalize, "resolve", |path| fs::canonicalize(path) => PathBuf;

    /// The target of a symbolic link.
    read_link, "read the link", |path| fs::read_link(path) => PathBuf;

    /// Makes a folder. Its parent must exist.
    create_dir, "create folder", |path| fs::create_dir(path) => ();

    /// Makes a folder and its missing parents. It is no error if the folder exists already.
    create_dir_all, "create folder", |path| fs::create_dir_all(path) => ();

    /// Removes a file.
    remove_file, "remove", |path| fs::remove_file(path) => ();

    /// Removes an empty folder.
    remove_dir, "remove folder", |path| fs::remove_dir(path) => ();

    /// Removes a folder with its contents. If this fails half-way, some of the contents are gone.
    remove_dir_all, "remove folder", |path| fs::remove_dir_all(path) => ();
}

of_two_paths! {
    /// Renames a file or folder within one file system, in one step. Anything that already has the new name is
    /// replaced.
    rename, "rename", |from: &Path, to: &Path| fs::rename(from, to) => ();

    /// Copies a file with its permissions. Returns the number of bytes. If this fails half-way, a part of the copy may
    /// exist.
    copy, "copy", |from: &Path, to: &Path| fs::copy(from, to) => u64;

    /// Gives a file (the first path) an additional name (the second path).
    hard_link, "link", |from: &Path, to: &Path| fs::hard_link(from, to) => ();

    /// Makes a symbolic link (the second path) whose target is the first path.
    symlink, "link to", |said: &Path, link: &Path| -> io::Result<()> { unix::fs::symlink(said, link) } => ();
}

/// Writes a whole file. Its previous contents are lost. A vector or string is moved to the thread. A slice is
/// copied.
///
/// A reader may see a half-written file. To replace a file in one step, write another file in the same folder and
/// [`rename`] it. [`TempFile`](crate::fs::TempFile) does this.
///
/// # Cancellation
/// A checkpoint; see the [module](super).
///
/// # Errors
/// Cancelled; the system's errors.
pub async fn write(path: impl AsRef<Path>, data: impl Into<Vec<u8>>) -> Result<(), FileError> {
    let data = data.into();
    let write = move |path: &Path| hook::write_all(&mut fs::File::create(path)?, &data);
    job(WRITE, path.as_ref(), write).await
}

/// Sets the permissions of a file or folder.
///
/// # Cancellation
/// A checkpoint; see the [module](super).
///
/// # Errors
/// Cancelled; the system's errors.
pub async fn set_permissions(path: impl AsRef<Path>, permissions: fs::Permissions) -> Result<(), FileError> {
    job("set the permissions of", path.as_ref(), move |path| fs::set_permissions(path, permissions)).await
}
