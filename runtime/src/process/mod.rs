//! Child processes.
//!
//! [`run_process`] treats a program like a function call: it returns when the program has ended, with the program's
//! status and captured output. [`supervise`] treats a program like a task. Pass it to
//! [`Nursery::start`](crate::Nursery::start), which returns a [`Process`] to communicate with; the nursery waits
//! for its end. Both take a [`Command`], and both make sure that no process outlives its block. When they are
//! cancelled, they ask the process to end, kill it after five seconds if it still runs, and wait until it is gone.
//! [`open_process`] only starts a process and leaves the rest to you.
//!
//! The modules:
//!
//! - `command`: what to run; `wiring`: how its standard streams are connected;
//! - `start`: the start itself, in a worker thread, since `fork` and `exec` may block;
//! - `child`: the owner of a child, which leaves neither an orphan nor a zombie, no matter what is dropped;
//! - `exit`: a descriptor that becomes readable when a child has exited;
//! - `handle`: the [`Process`];
//! - `run`: a process inside a block.

mod child;
mod command;
mod error;
mod exit;
mod handle;
mod run;
mod start;
mod wiring;

pub use command::{Command, Stdio};
pub use error::{ProcessFailed, StartError};
pub use handle::Process;
pub use run::{CompletedProcess, run_process, supervise};
pub use start::open_process;
