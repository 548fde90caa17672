//! The core: run loop, strands, scopes, waits. It knows nothing of threads' work or sockets.

pub(crate) mod builder;
pub(crate) mod checkpoint;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod deadlines;
pub(crate) mod drive;
pub(crate) mod foreign;
pub(crate) mod guest;
pub(crate) mod inbox;
pub(crate) mod instrument;
pub(crate) mod lot;
pub(crate) mod nursery;
pub(crate) mod outside;
pub(crate) mod reactor;
pub(crate) mod reschedule;
pub(crate) mod run;
pub(crate) mod scope;
pub(crate) mod stack;
pub(crate) mod start;
pub(crate) mod statistics;
pub(crate) mod strand;
pub(crate) mod system;
pub(crate) mod task;
pub(crate) mod token;
pub(crate) mod wait;
pub(crate) mod waker;
