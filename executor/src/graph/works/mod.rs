//! The kinds of works, one kind a file.
//!
//! `each` (io and cpu works), `source` and `global` are called by workers in threads, `task` on the thread of the
//! loops. `spread` says what becomes of the value of a call, `gather` makes batches and windows. `group_join` and
//! `key_join` bring items together; they run under the scheduler's lock.

mod each;
mod gather;
mod global;
mod group_join;
mod key_join;
mod source;
mod spread;
mod task;

pub(super) use each::Each;
pub(super) use global::Global;
pub use global::Moment;
pub(super) use group_join::GroupJoin;
pub(super) use key_join::JoinableQueues;
pub(super) use source::Source;
pub(super) use spread::{Many, One, Spread};
pub(super) use task::{Task, TaskFn};
