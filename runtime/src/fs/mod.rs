//! Files and folders.
//!
//! On the systems that this library supports, it is not possible to wait for a file to become ready: reading from a
//! slow disk blocks the thread. So the operations of this module are those of the standard library, executed in a
//! [worker thread](crate::to_thread) under the run's limiter. [`File`] is an open file. [`BufReader`] reads it line
//! by line. [`Path`] is a path with methods for all operations on it. The functions are those of `std::fs`.
//! [`TempFile`] and [`TempDir`] are removed when they are dropped.
//!
//! # Cancellation
//! Each async function here is a checkpoint. In a cancelled scope, the operation is not done. Only the methods
//! `close` do their work even then. A thread that has begun cannot be stopped. So the operation is finished, its
//! result is returned, and the cancellation takes effect at the next checkpoint. In this way the task learns what
//! was done. If the future is dropped meanwhile, the thread still finishes. What the thread reads from an open
//! [`File`] is kept for the next read; other results are lost.
//!
//! # Errors
//! A [`FileError`] says which operation failed on which file. To get it from an [`Error`](crate::Error), use
//! `downcast_ref`.
//!
//! # Panics
//! Outside a run, operations that ask the system panic when they are first polled. Operations that only look at a
//! name do not panic.

mod dir;
mod disposal;
mod error;
mod file;
mod functions;
pub(crate) mod hook;
mod job;
mod open;
mod path;
mod pattern;
mod reader;
mod temp;
mod unread;

pub use dir::{DirEntry, ReadDir, read_dir};
pub use error::FileError;
pub use file::File;
pub use functions::{
    canonicalize, copy, create_dir, create_dir_all, hard_link, metadata, read, read_link, read_to_string,
    remove_dir, remove_dir_all, remove_file, rename, set_permissions, symlink, symlink_metadata, try_exists,
    write,
};
pub use open::OpenOptions;
pub use path::Path;
pub use reader::BufReader;
pub use temp::{TempDir, TempFile};
