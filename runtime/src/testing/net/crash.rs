//! Crashes and restarts of hosts.

use crate::testing::net::{connection::EndState, hosts::HostState, state::State};

impl State {
    /// Cuts the power of a host: its programs stop, and its sockets are gone without a word to anybody.
    pub(super) fn crash(&self, host: &HostState) {
        if !host.is_up.replace(false) {
            return;
        }
        self.trace.note(self.now(), "crash", Some(&host.name), None, host.life.get(), &[]);
        let life = host.life.get();
        host.life.set(life + 1);
        for connection in host.live_connections() {
            for end in &connection.ends {
                if end.host == host.id && end.life.get() == life {
                    end.vanish(EndState::Gone);
                }
            }
        }
        host.connections.take();
        host.listeners
            .take()
            .into_values()
            .filter_map(|socket| socket.upgrade())
            .for_each(|socket| socket.die());
        host.datagrams
            .take()
            .into_values()
            .filter_map(|socket| socket.upgrade())
            .for_each(|socket| socket.die());
        host.crashed.unpark_all(|()| ());
    }

    /// Starts a host again.
    pub(super) fn restart(&self, host: &HostState) {
        if !host.is_up.replace(true) {
            self.trace.note(self.now(), "restart", Some(&host.name), None, host.life.get(), &[]);
            host.restarted.unpark_all(|()| ());
        }
    }
}
