//! What trio's own tests of names and listeners assert by a network that it fakes: by a resolver and a socket factory
//! of the test's own.

use socket2::{Domain, Protocol, Socket, Type};
use std::{io, net::SocketAddr, rc::Rc};
use terzetto::{
    Error, fail_after,
    io::{
        HostnameResolver, Listener, Lookup, NameFlags, SocketFactory, TcpListener, TcpStream,
        open_tcp_listeners, open_tcp_stream, set_custom_hostname_resolver, set_custom_socket_factory,
    },
};

/// "Address family not supported", on Linux.
const EAFNOSUPPORT: i32 = 97;

/// Has no sockets of these families, for this reason.
struct Without(&'static [Domain], io::ErrorKind);

impl SocketFactory for Without {
    fn socket(&self, domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
        match self.0.contains(&domain) {
            true if self.1 == io::ErrorKind::Unsupported => Err(io::Error::from_raw_os_error(EAFNOSUPPORT)),
            true => Err(self.1.into()),
            false => Socket::new(domain, kind, protocol),
        }
    }
}

/// Every host has these addresses.
struct Everybody(Vec<SocketAddr>);

impl HostnameResolver for Everybody {
    fn getaddrinfo<'a>(&'a self, _: &'a str, _: u16) -> Lookup<'a, Vec<SocketAddr>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    fn getnameinfo(&self, _: SocketAddr, _: NameFlags) -> Lookup<'_, (String, String)> {
        Box::pin(async { Err(Error::msg("nobody asks for a name")) })
    }
}

fn real<T>(main: impl Future<Output = Result<T, Error>>) -> T {
    terzetto::run(fail_after(60.0, main)).unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn trio_listeners_some_address_families_unavailable() {
    real(async {
        set_custom_socket_factory(Some(Rc::new(Without(&[Domain::IPV6], io::ErrorKind::Unsupported))));
        let listeners = open_tcp_listeners(0, None, None).await?;
        assert_eq!(listeners.len(), 1);
        assert!(listeners[0].local_addr()?.is_ipv4());
        let none = Without(&[Domain::IPV4, Domain::IPV6], io::ErrorKind::Unsupported);
        set_custom_socket_factory(Some(Rc::new(none)));
        let error = open_tcp_listeners(0, None, None).await.unwrap_err();
        assert!(error.to_string().contains("cannot listen on"), "{error}");
        Ok(())
    });
}

#[test]
fn trio_listeners_socket_fails_not_afnosupport() {
    real(async {
        set_custom_socket_factory(Some(Rc::new(Without(&[Domain::IPV6], io::ErrorKind::OutOfMemory))));
        let error = open_tcp_listeners(0, None, None).await.unwrap_err();
        assert_eq!(error.find::<io::Error>().unwrap().kind(), io::ErrorKind::OutOfMemory);
        Ok(())
    });
}

#[test]
#[cfg(target_os = "linux")]
fn trio_stream_a_family_that_there_is_not_is_passed_over() {
    real(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let there = listener.local_addr()?;
        set_custom_socket_factory(Some(Rc::new(Without(&[Domain::IPV6], io::ErrorKind::Unsupported))));
        for addresses in [vec!["[::1]:80".parse()?, there], vec![there, "[::1]:80".parse()?]] {
            set_custom_hostname_resolver(Some(Rc::new(Everybody(addresses))));
            let client = open_tcp_stream("somewhere", 80).await?;
            assert_eq!(listener.accept().await?.peer_addr()?, client.local_addr()?);
        }
        set_custom_hostname_resolver(Some(Rc::new(Everybody(vec!["[::1]:80".parse()?]))));
        assert!(open_tcp_stream("somewhere", 80).await.is_err());
        Ok(())
    });
}

#[test]
fn trio_listeners_rebind() {
    real(async {
        let host = Some("127.0.0.1");
        let first = open_tcp_listeners(0, host, None).await?.remove(0);
        let port = first.local_addr()?.port();
        // Not while somebody listens.
        assert!(open_tcp_listeners(port, host, None).await.is_err());
        // But while connections of its former self linger.
        let client = TcpStream::connect(first.local_addr()?).await?;
        let server = first.accept().await?;
        first.close().await?;
        let second = open_tcp_listeners(port, host, None).await?;
        drop((server, client, second));
        Ok(())
    });
}
