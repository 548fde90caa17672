//! The network under load: an echo server, clients that look at every byte, and what is left
//! afterwards. The tests run it small; the program `load` runs it with ten thousand connections.

mod clients;
mod http;
mod process;
mod server;

pub use clients::{Behaviour, MESSAGE, run_clients};
pub use process::{open_descriptors, raise_descriptor_limit, resident_bytes};
pub use server::{EchoServer, Protocol, Tally};
