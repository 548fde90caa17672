//! The core.

pub(crate) mod block;
pub(crate) mod cancel;
pub(crate) mod ids;
pub(crate) mod list;
pub(crate) mod lowlevel;
pub(crate) mod misuse;
pub(crate) mod poll_tree;
pub(crate) mod run;
pub(crate) mod seconds;
pub(crate) mod table;
pub(crate) mod task;
