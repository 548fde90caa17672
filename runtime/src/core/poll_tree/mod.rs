//! TODO

pub(crate) mod fast_path;
pub(crate) mod look;
pub(crate) mod node;
pub(crate) mod nursery_node;
pub(crate) mod poll_path;
pub(crate) mod ready_queue;
pub(crate) mod stack;
pub(crate) mod tree;
pub(crate) mod waker;
pub(crate) mod wrap;
