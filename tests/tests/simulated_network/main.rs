//! The simulated network: the same socket types, other hosts, other faults.

#![allow(missing_docs, reason = "tests")]

mod arguments;
mod faults;
mod hosts;
mod on_top;
mod repeat;
mod struck;
mod tcp;
mod udp;

use terzetto::{
    Builder, Error,
    io::{ReceiveStream, StreamError},
    testing::{MockClock, net::Network},
};

/// Runs a program with a network of this seed, on a clock that jumps.
pub fn simulated<T>(seed: u64, program: impl AsyncFnOnce(&Network) -> Result<T, Error>) -> Result<T, Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let network = Network::install(seed)?;
        program(&network).await
    })
}

/// Receives up to the end.
pub async fn receive_all(stream: &impl ReceiveStream) -> Result<Vec<u8>, StreamError> {
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        match stream.receive_some(&mut buffer).await? {
            0 => return Ok(all),
            n => all.extend_from_slice(&buffer[..n]),
        }
    }
}

/// The system's error of a stream that has failed.
pub fn code(error: &StreamError) -> Option<i32> {
    match error {
        StreamError::Io(error) | StreamError::Broken(Some(error)) => error.raw_os_error(),
        _ => None,
    }
}

pub const ECONNREFUSED: i32 = rustix::io::Errno::CONNREFUSED.raw_os_error();
pub const ECONNRESET: i32 = rustix::io::Errno::CONNRESET.raw_os_error();
pub const ETIMEDOUT: i32 = rustix::io::Errno::TIMEDOUT.raw_os_error();
pub const ENETUNREACH: i32 = rustix::io::Errno::NETUNREACH.raw_os_error();
