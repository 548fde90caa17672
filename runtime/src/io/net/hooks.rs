//! What a program may put in the place of the system's names and sockets, for one run.
//!
//! A resolver of its own looks names up elsewhere (over HTTPS, in a table for tests), a factory of its own makes the sockets
//! (in another network namespace, with marks, by a broker with more rights). Both belong to the run that is going on when they
//! are set, and are dropped when it ends.

use crate::{
    core::run::{self, Run, extensions::Extension},
    io::net::resolve::{Lookup, NameFlags},
};
use socket2::{Domain, Protocol, Socket, Type};
use std::{cell::RefCell, io, net::SocketAddr, rc::Rc};

/// Looks up names; trio's `HostnameResolver`.
///
/// It is asked by [`getaddrinfo`](crate::io::net::getaddrinfo) and [`getnameinfo`](crate::io::net::getnameinfo), and with them by
/// everything here that takes the name of a host. What needs no look-up, a host given as a number, it is not asked for.
pub trait HostnameResolver {
    /// The addresses of a host, in the order in which to try them.
    fn getaddrinfo<'a>(&'a self, host: &'a str, port: u16) -> Lookup<'a, Vec<SocketAddr>>;

    /// The names of a host and of a service.
    fn getnameinfo(&self, address: SocketAddr, flags: NameFlags) -> Lookup<'_, (String, String)>;
}

/// Makes sockets; trio's `SocketFactory`.
pub trait SocketFactory {
    /// Makes a socket. It is made non-blocking, bound and connected by who has asked for it.
    ///
    /// # Errors
    /// What the system says. A family that there is not is told as `EAFNOSUPPORT`.
    fn socket(&self, domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket>;
}

/// The hooks of a run.
#[derive(Default)]
struct NetworkHooks {
    resolver: RefCell<Option<Rc<dyn HostnameResolver>>>,
    factory: RefCell<Option<Rc<dyn SocketFactory>>>,
}

impl NetworkHooks {
    /// Those of a run.
    fn of(run: &Run) -> Rc<NetworkHooks> {
        run.extensions.get(NetworkHooks::default)
    }
}

impl Extension for NetworkHooks {
    /// Drops the hooks, one of which may hold the run.
    fn run_ends(&self) {
        let hooks = (self.resolver.take(), self.factory.take());
        // With nothing borrowed: they are the user's.
        drop(hooks);
    }
}

/// Has `resolver` look up names until the run ends, or has the system do it again; returns what has done it until now.
/// trio's `set_custom_hostname_resolver`.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use std::{net::SocketAddr, rc::Rc};
/// use terzetto::{Error, io::{HostnameResolver, Lookup, NameFlags, getaddrinfo, set_custom_hostname_resolver}};
///
/// struct Table;
///
/// impl HostnameResolver for Table {
///     fn getaddrinfo<'a>(&'a self, host: &'a str, port: u16) -> Lookup<'a, Vec<SocketAddr>> {
///         Box::pin(async move {
///             match host {
///                 "printer" => Ok(vec![([192, 168, 1, 9], port).into()]),
///                 _ => Err(Error::msg(format!("there is no host {host:?}"))),
///             }
///         })
///     }
///
///     fn getnameinfo(&self, _: SocketAddr, _: NameFlags) -> Lookup<'_, (String, String)> {
///         Box::pin(async { Ok(("printer".into(), "ipp".into())) })
///     }
/// }
///
/// terzetto::run(async {
///     set_custom_hostname_resolver(Some(Rc::new(Table)));
///     assert_eq!(getaddrinfo("printer", 631).await?, [([192, 168, 1, 9], 631).into()]);
///     Ok(())
/// })?;
/// # Ok::<(), Error>(())
/// ```
pub fn set_custom_hostname_resolver(
    resolver: Option<Rc<dyn HostnameResolver>>,
) -> Option<Rc<dyn HostnameResolver>> {
    run::with(|run| NetworkHooks::of(run).resolver.replace(resolver))
}

/// Has `factory` make sockets until the run ends, or has the system do it again; returns what has done it until now.
/// trio's `set_custom_socket_factory`.
///
/// It makes those of TCP and UDP, and those that connect in the Unix domain; none that a program hands over.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use std::{io, rc::Rc};
/// use socket2::{Domain, Protocol, Socket, Type};
/// use terzetto::io::{SocketFactory, UdpSocket, set_custom_socket_factory};
///
/// /// Sockets with small buffers.
/// struct Small;
///
/// impl SocketFactory for Small {
///     fn socket(&self, domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
///         let socket = Socket::new(domain, kind, protocol)?;
///         socket.set_recv_buffer_size(4096)?;
///         Ok(socket)
///     }
/// }
///
/// terzetto::run(async {
///     set_custom_socket_factory(Some(Rc::new(Small)));
///     let socket = UdpSocket::bind(([127, 0, 0, 1], 0))?;
///     assert!(socket.with_socket(|socket| socket.recv_buffer_size())? < 20_000);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn set_custom_socket_factory(factory: Option<Rc<dyn SocketFactory>>) -> Option<Rc<dyn SocketFactory>> {
    run::with(|run| NetworkHooks::of(run).factory.replace(factory))
}

/// The resolver of this run.
pub(super) fn resolver() -> Option<Rc<dyn HostnameResolver>> {
    run::with(|run| run.extensions.find::<NetworkHooks>()).and_then(|hooks| hooks.resolver.borrow().clone())
}

/// A socket of the run's factory, or of the system.
///
/// # Panics
/// Outside a run.
pub(super) fn new_socket(domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
    let factory = run::with(|run| run.extensions.find::<NetworkHooks>())
        .and_then(|hooks| hooks.factory.borrow().clone());
    match factory {
        Some(factory) => factory.socket(domain, kind, protocol),
        None => Socket::new(domain, kind, protocol),
    }
}
