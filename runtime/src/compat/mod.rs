//! Bridges to the ecosystem, each behind a feature of its own.
//!
//! | feature | what |
//! |---|---|
//! | `futures-io` | `AsyncRead` and `AsyncWrite` for sockets and pipes directly, and by [`FuturesIo`] for every stream |
//! | `hyper` | `HyperIo`, `drive_connection`, `HyperTimer`, `NurseryExecutor`: HTTP on this runtime |
//! | `tls` | [`tls::TlsStream`] over any stream, through `rustls` |
//!
//! What is polled through these traits knows cancellation: in a cancelled scope a read or a write fails,
//! with [`Cancelled`](crate::Cancelled) inside its `io::Error`, and [`Error`](crate::Error) finds it there.
//! [`FuturesIo`] is different: what it has received already is read all the same, and it may take over a write,
//! so that only the flush fails. Foreign futures that wait for something else are for
//! [`cancellable`](crate::cancellable).
//!
//! Streams have a method `close` of their own, which is [`Resource::close`](crate::io::Resource::close): it closes
//! both directions. `stream.close()` and `TcpStream::close(&stream)` are that method, also where both `Resource`
//! and `AsyncWriteExt` are in scope. `AsyncWriteExt::close(&mut stream)` ends the sending direction. So does
//! `stream.close()` where `stream` is a `&mut` reference: Rust finds a method that takes one first.

#[cfg(feature = "futures-io")]
mod futures_io;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "tls")]
pub mod tls;

#[cfg(feature = "futures-io")]
pub use futures_io::FuturesIo;
#[cfg(feature = "hyper")]
pub use hyper::{HyperIo, HyperTimer, NurseryExecutor, drive_connection};
