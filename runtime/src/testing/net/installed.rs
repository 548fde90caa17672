//! The network as the socket types see it: how it makes sockets.

use crate::{
    io::net::simulated::{SimulatedConnection, SimulatedDatagrams, SimulatedListener, SimulatedNetwork},
    testing::net::{
        connection::CLIENT, connection_socket::ConnectionEnd, datagram_socket::bind,
        listening_socket::listen, state::State,
    },
};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
};

/// What the hooks of a run hold.
pub(super) struct Installed(pub(super) Rc<State>);

impl SimulatedNetwork for Installed {
    fn connect(&self, local: Option<IpAddr>, remote: SocketAddr) -> io::Result<Rc<dyn SimulatedConnection>> {
        let state = &self.0;
        let host = state.current_host()?;
        let (to, remote) = state.route(&host, remote)?;
        let from = SocketAddr::new(host.source_for(local, remote.ip())?, host.free_port());
        let connection = state.new_connection(&host, from, &state.host(to), remote);
        Ok(Rc::new(ConnectionEnd { state: state.clone(), connection, end: CLIENT }))
    }

    fn listen(&self, address: SocketAddr, backlog: u32) -> io::Result<Rc<dyn SimulatedListener>> {
        listen(&self.0, address, backlog)
    }

    fn bind(&self, address: SocketAddr) -> io::Result<Rc<dyn SimulatedDatagrams>> {
        bind(&self.0, address)
    }

    fn run_ends(&self) {
        self.0.end();
    }
}
