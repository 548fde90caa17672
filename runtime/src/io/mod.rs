//! Streams of bytes: what all transports have in common.
//!
//! The traits are trio's: one for each direction, so that half a connection is a thing of its own,
//! and one for streams that can end one direction and keep the other. Methods take `&self`: one task
//! sends while another receives, both with a plain reference. Two tasks in the same direction at once
//! are a mistake, and get [`StreamError::Busy`].

mod busy;
mod error;
mod fd_stream;
mod readiness;
mod stapled;
mod stream;
mod unix;

pub(crate) use busy::Turnstile;
pub use error::StreamError;
pub(crate) use fd_stream::FdStream;
pub(crate) use readiness::Source;
pub use readiness::{notify_closing, wait_readable, wait_writable};
pub use stapled::StapledStream;
pub use stream::{HalfCloseableStream, ReceiveStream, Resource, SendStream, Stream};
pub use unix::UnixStream;
