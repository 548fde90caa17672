//! What tasks share: events and channels.

pub mod channel;
mod event;

pub use event::Event;
