//! Files and folders.
//!
//! No system that this library runs on has a file that can be waited for: reading from a slow disk
//! blocks the thread. So everything here is the standard library's, done in a [worker
//! thread](crate::to_thread) under the run's limiter. [`File`] is an open file, [`BufReader`] reads it
//! line by line, [`Path`] is a name with everything that can be done with it, and the functions are
//! those of `std::fs`. [`TempFile`] and [`TempDir`] are gone when they are dropped.
//!
//! # Cancellation
//! Each async function here is a checkpoint: what is asked for in a cancelled scope is not done. Only
//! the methods `close` do their work all the same. Once a thread has begun, it cannot be called back, so
//! the operation is finished, its result is returned, and the cancellation shows at the next checkpoint:
//! the task learns what was done. A future that is dropped meanwhile leaves the thread to finish. What it reads from an open [`File`] is kept for the next read;
//! other results are lost.
//!
//! # Errors
//! A [`FileError`] says what could not be done with which file. In an
//! [`Error`](crate::Error) it is found by `downcast_ref`.
//!
//! # Panics
//! What asks the system panics outside a run, when it is first polled. What only looks at a name does not.

mod dir;
mod disposal;
mod error;
mod file;
mod functions;
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
