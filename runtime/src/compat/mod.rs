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
//! # Libraries that work
//!
//! Each row is held by a test in the repository. Those under `ecosystem/` are a workspace of their own, which
//! `.ci/ecosystem` runs, with a real PostgreSQL and Redis.
//!
//! | library | for | how | tested by |
//! |---|---|---|---|
//! | `hyper` | HTTP/1.1, HTTP/2 | feature `hyper` | `tests/tests/compat_hyper.rs` |
//! | `hyper-util` | servers, the client's pool | feature `http` | `tests/tests/compat_http.rs` |
//! | `axum` | web applications | feature `http`; handlers in a `SendWrapper` | `ecosystem/tests/axum.rs` |
//! | `tower` | services and layers | feature `http` | `tests/tests/compat_http.rs` |
//! | `tower-http` | layers for HTTP | feature `http` | `ecosystem/tests/axum.rs` |
//! | `rustls` | TLS | feature `tls` | `tests/tests/compat_tls.rs` |
//! | `async-tungstenite` | websockets | `futures-io`, or an upgraded connection of `http` | `ecosystem/tests/axum.rs` |
//! | `async-compression` | gzip, zstd, … | `futures-io` | `ecosystem/tests/over_futures_io.rs` |
//! | `futures-util` | combinators, streams | nothing needed | `tests/tests/foreign.rs` |
//! | `async-channel` | channels between threads and runs | `cancellable` | `ecosystem/tests/over_futures_io.rs` |
//! | `flume` | channels between threads and runs | `cancellable` | `ecosystem/tests/over_futures_io.rs` |
//! | `rayon` | computing on all cores | `to_thread` | `ecosystem/tests/over_futures_io.rs` |
//! | `zbus` | D-Bus | `cancellable`; it has a thread for its socket | `ecosystem/tests/zbus.rs` |
//! | `tokio` | sockets, timers, tasks | feature `tokio` | `tests/tests/compat_tokio.rs` |
//! | `tokio-util` | codecs, streams of either side | feature `tokio` | `ecosystem/tests/over_futures_io.rs` |
//! | `tokio-postgres` | PostgreSQL | feature `tokio` | `ecosystem/tests/postgres.rs` |
//! | `sqlx` | PostgreSQL, and other databases | feature `tokio` | `ecosystem/tests/postgres.rs` |
//! | `redis` | Redis | feature `tokio` | `ecosystem/tests/redis.rs` |
//! | `reqwest` | HTTP as a client | feature `tokio` | `ecosystem/tests/reqwest.rs` |
//! | `quinn` | QUIC | feature `tokio`: its trait for runtimes demands `Send` | `ecosystem/tests/quinn.rs` |
//! | `anyhow`, `eyre` | errors of programs | features of these names | `tests/tests/errors_own.rs` |
//!
//! A read of a websocket that is cancelled is a failed read for `async-tungstenite`, and ends the socket. To go on after a
//! time limit, receive in a task of its own, and wait for what it passes on.
//!
//! # Cancellation
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
pub use hyper::{HyperIo, HyperTimer, NurseryExecutor, drive_connection, drive_gracefully};
