//! TODO

pub(crate) mod cancellable;
pub(crate) mod checkpoint;
pub(crate) mod deadlines;
pub(crate) mod deliver;
pub(crate) mod entered;
pub(crate) mod interrupt;
pub(crate) mod raise_interrupt;
pub(crate) mod scope;
pub(crate) mod state;
pub(crate) mod steer;
pub(crate) mod stuck;
pub(crate) mod stuck_check;
pub(crate) mod tree;
