//! TLS through `rustls`.
//!
//! `rustls` is a state machine without I/O. [`TlsStream`] moves its bytes over any stream. The program chooses
//! algorithms, certificates and roots by the interface of `rustls`, which is re-exported here. The re-export comes
//! without a provider of algorithms.

mod listener;
mod open;
mod records;
mod stream;
mod unwrapping;

pub use listener::TlsListener;
pub use open::{open_tls_over_tcp_listeners, open_tls_over_tcp_stream, serve_tls_over_tcp};
pub use rustls;
pub use stream::TlsStream;
