//! Looking up the addresses of names, and the names of addresses.

use crate::{Error, checkpoint, io::net::hooks, to_thread};
use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr, ToSocketAddrs},
    pin::Pin,
};

/// A look-up that is under way.
pub type Lookup<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + 'a>>;

fn invalid(text: String) -> Error {
    io::Error::new(ErrorKind::InvalidInput, text).into()
}

/// The addresses of a host, without duplicates, in the order in which to try them; trio's `getaddrinfo`. If the
/// host is given as a number, that is the only address.
///
/// The run's [resolver](crate::io::net::set_custom_hostname_resolver) is asked if there is one. Otherwise the
/// system is asked in a worker thread. Names are passed on unchanged. A name with characters beyond ASCII must be
/// encoded before the call (by the crate `idna`, for instance).
///
/// # Cancellation
/// A checkpoint. If cancelled, a look-up by the system goes on in its thread and ends by itself.
///
/// # Errors
/// Cancelled; an `io::Error` if the name is not found or has no address; an `io::Error` of kind `InvalidInput` if
/// it is empty or contains a zero byte; the error of the run's resolver.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::io::getaddrinfo;
/// terzetto::run(async {
///     assert_eq!(getaddrinfo("::1", 80).await?, ["[::1]:80".parse()?]);
///     assert!(getaddrinfo("localhost", 80).await?.iter().all(|address| address.ip().is_loopback()));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn getaddrinfo(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
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
    let mut addresses = match hooks::resolver() {
        Some(resolver) => resolver.getaddrinfo(host, port).await?,
        None => ask_the_system(host, port).await?,
    };
    let mut seen = std::collections::HashSet::new();
    addresses.retain(|address| seen.insert(*address));
    match addresses.is_empty() {
        true => Err(io::Error::new(ErrorKind::NotFound, format!("the name {host:?} has no address")).into()),
        false => Ok(addresses),
    }
}

async fn ask_the_system(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    let name = host.to_owned();
    let look_up = move || (name.as_str(), port).to_socket_addrs().map(Vec::from_iter);
    let found = to_thread::options().abandon_on_cancel(true).run_sync(look_up).await?;
    Ok(found
        .map_err(|error| io::Error::new(error.kind(), format!("the name {host:?} was not found: {error}")))?)
}

/// The form in which [`getnameinfo`] returns the host and the service. By default, it returns names where there are
/// any.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NameFlags {
    /// Return the host as a number (`NI_NUMERICHOST`).
    pub numeric_host: bool,
    /// Return the service as a number (`NI_NUMERICSERV`).
    pub numeric_service: bool,
    /// Fail if the host has no name (`NI_NAMEREQD`).
    pub name_required: bool,
    /// The service uses UDP (`NI_DGRAM`).
    pub datagram: bool,
    /// For a host of the local domain, return only the first part of its name (`NI_NOFQDN`).
    pub no_domain: bool,
}

impl NameFlags {
    /// Both as numbers. This needs no look-up.
    pub const NUMERIC: NameFlags = NameFlags {
        numeric_host: true,
        numeric_service: true,
        name_required: false,
        datagram: false,
        no_domain: false,
    };

    fn raw(self) -> libc::c_int {
        let flag = |yes, flag| if yes { flag } else { 0 };
        flag(self.numeric_host, libc::NI_NUMERICHOST)
            | flag(self.numeric_service, libc::NI_NUMERICSERV)
            | flag(self.name_required, libc::NI_NAMEREQD)
            | flag(self.datagram, libc::NI_DGRAM)
            | flag(self.no_domain, libc::NI_NOFQDN)
    }
}

/// Looks up the names of a host and a service by their address; trio's `getnameinfo`. If there is no name, the
/// number is returned instead.
///
/// The run's [resolver](crate::io::net::set_custom_hostname_resolver) is asked if there is one. Otherwise the
/// system is asked in a worker thread.
///
/// # Cancellation
/// The same as [`getaddrinfo`].
///
/// # Errors
/// Cancelled; an `io::Error` with the system's error; the error of the run's resolver.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::io::{NameFlags, getnameinfo};
/// terzetto::run(async {
///     let (host, service) = getnameinfo("127.0.0.1:80".parse()?, NameFlags::NUMERIC).await?;
///     assert_eq!((host.as_str(), service.as_str()), ("127.0.0.1", "80"));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn getnameinfo(address: SocketAddr, flags: NameFlags) -> Result<(String, String), Error> {
    if let Some(resolver) = hooks::resolver() {
        return resolver.getnameinfo(address, flags).await;
    }
    let look_up = move || dns_lookup::getnameinfo(&address, flags.raw()).map_err(io::Error::from);
    let found = to_thread::options().abandon_on_cancel(true).run_sync(look_up).await?;
    Ok(found.map_err(|error| {
        io::Error::new(error.kind(), format!("the address {address} has no name: {error}"))
    })?)
}
