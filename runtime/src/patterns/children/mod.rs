//! Results of children: one at a time, all together, and of a function for each item of a source.
//!
//! | to do | use |
//! |---|---|
//! | start a task in a nursery, and await its value later | [`Nursery::start_for_result`](crate::Nursery::start_for_result) |
//! | run a few tasks, get all their values | [`gather`] |
//! | call an async function for each item, so many at once | [`map`] |
//!
//! An error is an error of the nursery, as anywhere: it cancels the other tasks, and comes out of the call when all of
//! them have ended. So a value that is returned is never beside an error that is hidden.

mod child;
mod gather;
mod map;
mod results;
mod source;

pub use child::{Child, ResultError};
pub use gather::{Gather, gather};
pub use map::{Map, map};
pub use results::Results;
pub use source::{Source, StreamSource, TryStreamSource, from_stream, from_try_stream};
