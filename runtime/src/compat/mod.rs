//! Bridges to other libraries, each behind its own feature.
//!
//! | feature | what it adds |
//! |---|---|
//! | `futures-io` | `AsyncRead` and `AsyncWrite`: for sockets and pipes directly, for other streams by [`FuturesIo`] |
//! | `hyper` | `HyperIo`, `drive_connection`, `HyperTimer`, `NurseryExecutor`: HTTP on this runtime |
//! | `http` | [`http`]: servers of `tower` services and routers of `axum`, a client with a pool |
//! | `tls` | [`tls::TlsStream`] over any stream, through `rustls` |
//! | `tokio` | [`tokio::in_tokio`]: libraries that need tokio |
//!
//! Reads and writes through these traits can be cancelled. In a cancelled scope a read or a write fails. Its
//! `io::Error` then holds a [`Cancelled`](crate::Cancelled), and [`Error`](crate::Error) finds it there.
//! [`FuturesIo`] is different. It still returns data that it has already received. It may also accept a write, and
//! then only the flush fails. A future of another library that waits for something else can be wrapped in
//! [`cancellable`](crate::cancellable).
//!
//! Streams have their own method `close`, which is [`Resource::close`](crate::io::Resource::close). It closes
//! both directions. `stream.close()` and `TcpStream::close(&stream)` call that method, even where both `Resource`
//! and `AsyncWriteExt` are in scope. `AsyncWriteExt::close(&mut stream)` ends the sending direction. So does
//! `stream.close()` where `stream` is a `&mut` reference, since Rust then prefers the method that takes one.

#[cfg(feature = "futures-io")]
mod futures_io;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "hyper")]
mod hyper;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "tokio")]
pub mod tokio;

#[cfg(feature = "futures-io")]
pub use futures_io::FuturesIo;
#[cfg(feature = "hyper")]
pub use hyper::{HyperIo, HyperTimer, NurseryExecutor, drive_connection};
