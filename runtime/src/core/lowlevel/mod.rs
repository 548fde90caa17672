//! The low level, for libraries and for tools that watch a run: blocking by hand, the token, instruments, statistics,
//! system tasks, guest runs.

pub(crate) mod blocked_report;
pub(crate) mod deadlock;
pub(crate) mod deadlock_state;
#[cfg(feature = "guest")]
pub(crate) mod guest;
pub(crate) mod install_instrument;
pub(crate) mod instrument;
pub(crate) mod reached;
pub(crate) mod reschedule;
pub(crate) mod statistics;
pub(crate) mod stuck_tasks;
pub(crate) mod survey;
pub(crate) mod system;
pub(crate) mod task_tree;
pub(crate) mod token;
pub(crate) mod variable;
pub(crate) mod watch;
pub(crate) mod whereabouts;
