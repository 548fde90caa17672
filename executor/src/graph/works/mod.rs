//! The works that an executor calls.

mod each;
mod global;
mod group_join;
mod key_join;
mod source;

pub(super) use each::Each;
pub(super) use global::Global;
pub use global::Moment;
pub(super) use group_join::JoinWork;
pub(super) use key_join::Zipped;
pub(super) use source::Source;
