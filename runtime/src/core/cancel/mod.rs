//! Cancellation: scopes, deadlines, checkpoints, and how a cancellation finds what is blocked.
//!
//! Cancellation is *level-triggered*, as in trio. In a cancelled scope every checkpoint fails, again and again, until
//! the task has left the scope. The failure is an ordinary error, after which a task may clean up. The
//! outermost scope that is cancelled swallows it. A shield hides the scopes around it.

pub(crate) mod cancellable;
pub(crate) mod catch;
pub(crate) mod checkpoint;
pub(crate) mod control;
pub(crate) mod deadline_table;
pub(crate) mod enter;
pub(crate) mod expire;
pub(crate) mod graceful;
pub(crate) mod interrupt;
pub(crate) mod propagate;
pub(crate) mod raise_interrupt;
pub(crate) mod scope;
pub(crate) mod shut_down_state;
pub(crate) mod state;
pub(crate) mod stuck;
pub(crate) mod stuck_check;
pub(crate) mod tree;
pub(crate) mod turn_budget;
pub(crate) mod visible;
