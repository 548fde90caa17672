//! The kinds of works, one kind a file.
//!
//! `each` (io and cpu works), `source` and `global` are called by workers. `group_join` and `key_join` bring
//! items together; they run under the scheduler's lock.

mod each;
mod global;
mod group_join;
mod key_join;
mod source;

pub(super) use each::Each;
pub(super) use global::Global;
pub use global::Moment;
pub(super) use group_join::GroupJoin;
pub(super) use key_join::JoinableQueues;
pub(super) use source::Source;
