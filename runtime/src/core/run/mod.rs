//! The run: its state, its loop, and how the rest of the process reaches it.

pub(crate) mod between_ticks;
pub(crate) mod clock;
pub(crate) mod extensions;
pub(crate) mod inbox;
pub(crate) mod per_process;
pub(crate) mod run_loop;
pub(crate) mod sleep;
pub(crate) mod state;
pub(crate) mod take_messages;
pub(crate) mod tasks;
pub(crate) use state::{Run, current, leave_current, set_current, try_with, with, with_run};
