//! The core: run loop, strands, scopes, waits. It knows nothing of threads' work or sockets.

pub(crate) mod builder;
pub(crate) mod checkpoint;
pub(crate) mod clock;
pub(crate) mod context;
pub(crate) mod deadlines;
mod descent;
pub(crate) mod drive;
pub(crate) mod foreign;
#[cfg(feature = "guest")]
pub(crate) mod guest;
pub(crate) mod home;
pub(crate) mod in_place;
pub(crate) mod inbox;
pub(crate) mod instrument;
pub(crate) mod list;
pub(crate) mod lot;
pub(crate) mod nursery;
pub(crate) mod outside;
mod queue;
pub(crate) mod reactor;
pub(crate) mod reschedule;
pub(crate) mod run;
pub(crate) mod scope;
pub(crate) mod stack;
pub(crate) mod start;
pub(crate) mod statistics;
pub(crate) mod strand;
pub(crate) mod strands;
pub(crate) mod system;
pub(crate) mod table;
pub(crate) mod task;
pub(crate) mod token;
mod unit;
pub(crate) mod wait;
mod waiter;
pub(crate) mod waker;
pub(crate) mod watch;
