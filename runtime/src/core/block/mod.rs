//! TODO

pub(crate) mod by_fd;
pub(crate) mod descriptor;
pub(crate) mod operation;
pub(crate) mod reactor;
pub(crate) mod wait;
pub(crate) mod wait_queue;
pub(crate) mod waiter;
pub(crate) mod waits;
