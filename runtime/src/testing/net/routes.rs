//! Names and addresses: which host has them.

use crate::testing::net::{
    hosts::{HostState, loopback, system_error},
    ids::HostId,
    state::State,
};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    rc::Rc,
};

impl State {
    /// The host of this name. It is made if there is none, with an address in 10.0.0.0/8.
    pub(super) fn host_named(&self, name: &str) -> Rc<HostState> {
        if let Some(known) = self.find_host(name) {
            return known;
        }
        let mut hosts = self.hosts.borrow_mut();
        let id = HostId(hosts.len() as u32);
        let host = Rc::new(HostState::new(id, name));
        hosts.push(host.clone());
        drop(hosts);
        let number = (id.0 + 1).to_be_bytes();
        self.add_address(&host, Ipv4Addr::new(10, number[1], number[2], number[3]).into());
        host
    }

    pub(super) fn find_host(&self, name: &str) -> Option<Rc<HostState>> {
        self.hosts.borrow().iter().find(|host| host.name == name).cloned()
    }

    pub(super) fn add_address(&self, host: &HostState, address: IpAddr) {
        let former = self.by_address.borrow_mut().insert(address, host.id);
        assert!(
            former.is_none_or(|former| former == host.id),
            "the address {address} belongs to another host of the simulated network"
        );
        let mut own = host.addresses.borrow_mut();
        if !own.contains(&address) {
            own.push(address);
        }
    }

    /// The host that has an address, as `from` sees it, and the address that is meant.
    pub(super) fn route(&self, from: &HostState, remote: SocketAddr) -> io::Result<(HostId, SocketAddr)> {
        let mut remote = remote;
        if remote.ip().is_unspecified() {
            remote.set_ip(loopback(remote.ip()));
        }
        if remote.ip().is_loopback() {
            return Ok((from.id, remote));
        }
        match self.by_address.borrow().get(&remote.ip()) {
            Some(&to) => Ok((to, remote)),
            None => Err(system_error(libc::ENETUNREACH)),
        }
    }
}
