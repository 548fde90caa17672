//! Hooks that let a program replace the system's name resolution and sockets, for one run.
//!
//! A custom resolver looks names up elsewhere, for example over HTTPS, or in a table for tests. A custom factory
//! makes the sockets in another way, for example in another network namespace, with marks, or by a broker with more
//! privileges. Both belong to the run in which they are set, and are dropped when it ends.

use crate::{
    core::run::{self, Run, extensions::Extension},
    io::net::{
        resolve::{Lookup, NameFlags},
        simulated::SimulatedNetwork,
    },
};
use socket2::{Domain, Protocol, Socket, Type};
use std::{cell::RefCell, io, net::SocketAddr, rc::Rc};

/// Looks up names; trio's `HostnameResolver`.
///
/// It is called by [`getaddrinfo`](crate::io::net::getaddrinfo) and [`getnameinfo`](crate::io::net::getnameinfo),
/// and through them by everything in this library that takes the name of a host. It is not called if no look-up is
/// needed, because the host is given as a number.
pub trait HostnameResolver {
    /// The addresses of a host, in the order in which to try them.
    fn getaddrinfo<'a>(&'a self, host: &'a str, port: u16) -> Lookup<'a, Vec<SocketAddr>>;

    /// The names of a host and a service.
    fn getnameinfo(&self, address: SocketAddr, flags: NameFlags) -> Lookup<'_, (String, String)>;
}

/// Makes sockets; trio's `SocketFactory`.
pub trait SocketFactory {
    /// Makes a socket. The caller makes it non-blocking, binds it and connects it.
    ///
    /// # Errors
    /// The system's error. If the system does not support the address family, the error must be `EAFNOSUPPORT`.
    fn socket(&self, domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket>;
}

/// The hooks of a run.
#[derive(Default)]
struct NetworkHooks {
    resolver: RefCell<Option<Rc<dyn HostnameResolver>>>,
    factory: RefCell<Option<Rc<dyn SocketFactory>>>,
    network: RefCell<Option<Rc<dyn SimulatedNetwork>>>,
}

impl NetworkHooks {
    /// The hooks of a run.
    fn of(run: &Run) -> Rc<NetworkHooks> {
        run.extensions.get(NetworkHooks::default)
    }
}

impl Extension for NetworkHooks {
    /// Drops the hooks, because one of them may hold the run.
    fn run_ends(&self) {
        let hooks = (self.resolver.take(), self.factory.take());
        // Nothing is borrowed here, because this runs the user's destructors.
        drop(hooks);
        let network = self.network.take();
        network.inspect(|network| network.run_ends());
    }
}

/// Lets `resolver` look up names until the run ends. `None` restores the system's resolver. Returns the previous
/// resolver. This is trio's `set_custom_hostname_resolver`.
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

/// Lets `factory` make sockets until the run ends. `None` lets the system make them again. Returns the previous
/// factory. This is trio's `set_custom_socket_factory`.
///
/// It makes the sockets of TCP and UDP, and those that connect in the Unix domain. It does not make sockets that a
/// program passes to this library. In a [simulated network](crate::testing::net) it makes none of TCP and UDP.
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

/// Lets a simulated network make the sockets of TCP and UDP until the run ends. Returns the previous one.
#[cfg(feature = "testing")]
pub(crate) fn set_simulated_network(network: Rc<dyn SimulatedNetwork>) -> Option<Rc<dyn SimulatedNetwork>> {
    run::with(|run| NetworkHooks::of(run).network.replace(Some(network)))
}

/// The simulated network of this run, if it has one.
///
/// # Panics
/// Outside a run.
pub(super) fn simulated_network() -> Option<Rc<dyn SimulatedNetwork>> {
    run::with(|run| run.extensions.find::<NetworkHooks>()).and_then(|hooks| hooks.network.borrow().clone())
}

/// The resolver of this run.
pub(super) fn resolver() -> Option<Rc<dyn HostnameResolver>> {
    run::with(|run| run.extensions.find::<NetworkHooks>()).and_then(|hooks| hooks.resolver.borrow().clone())
}

/// Makes a socket with the run's factory, or else with the system.
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
