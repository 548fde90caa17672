//! Looking up names in a simulated network.

use crate::{
    Error, checkpoint,
    io::{HostnameResolver, Lookup, NameFlags},
    testing::net::state::State,
};
use std::{
    io::{self, ErrorKind},
    net::{Ipv4Addr, SocketAddr},
    rc::Rc,
};

/// Knows the names of a network's hosts. It takes no time.
pub(super) struct Names(pub(super) Rc<State>);

impl HostnameResolver for Names {
    fn getaddrinfo<'a>(&'a self, name: &'a str, port: u16) -> Lookup<'a, Vec<SocketAddr>> {
        Box::pin(async move {
            checkpoint().await?;
            if name == "localhost" {
                return Ok(vec![(Ipv4Addr::LOCALHOST, port).into()]);
            }
            match self.0.find_host(name) {
                Some(host) => {
                    Ok(host.addresses.borrow().iter().map(|&address| (address, port).into()).collect())
                }
                None => Err(unknown(format!("the simulated network has no host {name:?}"))),
            }
        })
    }

    fn getnameinfo(&self, address: SocketAddr, flags: NameFlags) -> Lookup<'_, (String, String)> {
        Box::pin(async move {
            checkpoint().await?;
            let id = self.0.by_address.borrow().get(&address.ip()).copied();
            let name = id.filter(|_| !flags.numeric_host).map(|id| self.0.host(id).name.clone());
            match name {
                None if flags.name_required => Err(unknown(format!("the address {address} has no name"))),
                name => Ok((name.unwrap_or_else(|| address.ip().to_string()), address.port().to_string())),
            }
        })
    }
}

fn unknown(text: String) -> Error {
    io::Error::new(ErrorKind::NotFound, text).into()
}
