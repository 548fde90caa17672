//! Work in threads: what would block the loop, or use a processor for long.

pub(crate) mod oneshot;
pub(crate) mod pool;
pub mod to_thread;
