//! The functions of `std::fs`.

use crate::fs::{FileError, job::job};
use std::{
    fs, io,
    os::unix,
    path::{Path, PathBuf},
};

/// Functions of one path.
macro_rules! of_one_path {
    ($($(#[doc = $doc:literal])+ $name:ident, $action:literal, $work:expr => $value:ty;)+) => {$(
        $(#[doc = $doc])+
        ///
        /// # Cancellation
        /// A checkpoint; see the [module](super).
        ///
        /// # Errors
        /// Cancelled; what the system says.
        pub async fn $name(path: impl AsRef<Path>) -> Result<$value, FileError> {
            job($action, path.as_ref(), $work).await
        }
    )+};
}

/// Functions of two paths.
macro_rules! of_two_paths {
    ($($(#[doc = $doc:literal])+ $name:ident, $action:literal, $work:expr => $value:ty;)+) => {$(
        $(#[doc = $doc])+
        ///
        /// # Cancellation
        /// A checkpoint; see the [module](super).
        ///
        /// # Errors
        /// Cancelled; what the system says.
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

    /// Reads a whole file as a text. One that is not UTF-8 is
    /// [`InvalidData`](std::io::ErrorKind::InvalidData).
    read_to_string, "read", |path| fs::read_to_string(path) => String;

    /// Asks for the length, type, permissions and times of what the path leads to.
    metadata, "read the metadata of", |path| fs::metadata(path) => fs::Metadata;

    /// As [`metadata`], of a symbolic link itself.
    symlink_metadata, "read the metadata of", |path| fs::symlink_metadata(path) => fs::Metadata;

    /// Whether the path leads to anything. That one may not know is an error.
    try_exists, "look for", |path| fs::exists(path) => bool;

    /// The absolute path without symbolic links, dots, and double dots.
    canonicalize, "resolve", |path| fs::canonicalize(path) => PathBuf;

    /// What a symbolic link says.
    read_link, "read the link", |path| fs::read_link(path) => PathBuf;

    /// Makes a folder in one that is there.
    create_dir, "create folder", |path| fs::create_dir(path) => ();

    /// Makes a folder, and those it is in. That it is there already is fine.
    create_dir_all, "create folder", |path| fs::create_dir_all(path) => ();

    /// Removes a file.
    remove_file, "remove", |path| fs::remove_file(path) => ();

    /// Removes an empty folder.
    remove_dir, "remove folder", |path| fs::remove_dir(path) => ();

    /// Removes a folder and all that is in it. If it fails half-way, some of it is gone.
    remove_dir_all, "remove folder", |path| fs::remove_dir_all(path) => ();
}

of_two_paths! {
    /// Gives a file or folder another name on the same file system, in one step; what has that name is
    /// replaced.
    rename, "rename", |from: &Path, to: &Path| fs::rename(from, to) => ();

    /// Copies a file with its permissions; returns how many bytes. The copy may be there in part if it
    /// fails half-way.
    copy, "copy", |from: &Path, to: &Path| fs::copy(from, to) => u64;

    /// Gives a file (the first) another name (the second) beside the one it has.
    hard_link, "link", |from: &Path, to: &Path| fs::hard_link(from, to) => ();

    /// Makes a symbolic link (the second) that says the first.
    symlink, "link to", |said: &Path, link: &Path| -> io::Result<()> { unix::fs::symlink(said, link) } => ();
}

/// Writes a whole file; what was in it is lost. A vector or string is moved to the thread, a slice is
/// copied.
///
/// A reader may see it half-written. To replace a file in one step write another in the same folder
/// and [`rename`] it; [`TempFile`](crate::fs::TempFile) does.
///
/// # Cancellation
/// A checkpoint; see the [module](super).
///
/// # Errors
/// Cancelled; what the system says.
pub async fn write(path: impl AsRef<Path>, data: impl Into<Vec<u8>>) -> Result<(), FileError> {
    let data = data.into();
    job("write to", path.as_ref(), move |path| fs::write(path, data)).await
}

/// Sets permissions.
///
/// # Cancellation
/// A checkpoint; see the [module](super).
///
/// # Errors
/// Cancelled; what the system says.
pub async fn set_permissions(path: impl AsRef<Path>, permissions: fs::Permissions) -> Result<(), FileError> {
    job("set the permissions of", path.as_ref(), move |path| fs::set_permissions(path, permissions)).await
}
