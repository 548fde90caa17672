//! From names to addresses.

use crate::{Error, checkpoint, to_thread};
use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr, ToSocketAddrs},
};

fn invalid(text: String) -> Error {
    io::Error::new(ErrorKind::InvalidInput, text).into()
}

/// The addresses of a host, in the system's order, each once. A numeric host is its own address.
///
/// # Cancellation
/// A checkpoint. If cancelled, the look-up is left to end by itself in its thread.
pub(super) async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    if host.is_empty() {
        return Err(invalid("the host's name is empty".into()));
    }
    if host.contains('\0') {
        return Err(invalid(format!("the host's name {host:?} contains a zero byte")));
    }
    if let Ok(address) = host.parse::<IpAddr>() {
        checkpoint().await?;
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let name = host.to_owned();
    let look_up = move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
    let found = to_thread::options().abandon_on_cancel(true).run_sync(look_up).await?;
    let mut addresses = found
        .map_err(|error| io::Error::new(error.kind(), format!("the name {host:?} was not found: {error}")))?;
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| seen.insert(*address));
    match addresses.is_empty() {
        true => Err(io::Error::new(ErrorKind::NotFound, format!("the name {host:?} has no address")).into()),
        false => Ok(addresses),
    }
}
