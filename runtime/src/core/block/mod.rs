//! Blocking: what a task is blocked in, what wakes it, and the operating system's events.
//!
//! Every operation that blocks does three things. It registers a wait, with a way to abort it. It withdraws the wait
//! if its future is dropped. When it is woken, it looks first whether it has succeeded, and only then whether it was
//! cancelled. So an operation that has succeeded is never reported as cancelled. A sleep is the one exception. It has
//! nothing to lose, so it reports a cancellation that came in the same tick as its end, as trio's does.

pub(crate) mod awaited;
pub(crate) mod descriptor_wait;
pub(crate) mod operation;
pub(crate) mod reactor;
pub(crate) mod source_table;
pub(crate) mod wait;
pub(crate) mod wait_queue;
pub(crate) mod waiter;
pub(crate) mod waits;
