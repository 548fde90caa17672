//! Opening a TCP connection to a host by its name.

use crate::{
    Error, ErrorGroup, Seconds,
    io::{
        StreamError,
        net::{HAPPY_EYEBALLS_DELAY, TcpStream, happy_eyeballs, happy_eyeballs_order, resolve::getaddrinfo},
    },
};
use std::{
    error::Error as StdError,
    fmt,
    io::{self, ErrorKind},
    net::IpAddr,
};

/// Connects to a host by name or address; trio's `open_tcp_stream`.
///
/// A name may have many addresses. They are tried by [`happy_eyeballs`](happy_eyeballs()), staggered by 250 ms, and
/// the first that answers is used. Names are looked up in a worker thread.
///
/// # Cancellation
/// A checkpoint. If cancelled, all attempts end and their sockets are closed. A look-up that is under way ends by
/// itself later.
///
/// # Errors
/// [`ConnectFailed`] if no attempt succeeds, with the errors of all attempts as its cause; an `io::Error` if the
/// name is not found; an `io::Error` of kind `InvalidInput` if the host is empty or the port is 0.
///
/// # Panics
/// Outside a run.
///
/// ```no_run
/// use terzetto::io::{SendStream, open_tcp_stream};
/// terzetto::run(async {
///     let stream = open_tcp_stream("example.org", 80).await?;
///     stream.send_all(b"GET / HTTP/1.0\r\n\r\n").await?;
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn open_tcp_stream(host: &str, port: u16) -> Result<TcpStream, Error> {
    TcpConnector::new().connect(host, port).await
}

/// [`open_tcp_stream`] with options.
///
/// ```no_run
/// use terzetto::io::TcpConnector;
/// # terzetto::run(async {
/// let from = [192, 168, 1, 7].into();
/// let stream = TcpConnector::new().local_address(from).connect("example.org", 80).await?;
/// # Ok(())
/// # }).unwrap();
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct TcpConnector {
    delay: f64,
    local: Option<IpAddr>,
}

impl Default for TcpConnector {
    fn default() -> TcpConnector {
        TcpConnector::new()
    }
}

impl TcpConnector {
    /// The options of [`open_tcp_stream`].
    pub fn new() -> TcpConnector {
        TcpConnector { delay: HAPPY_EYEBALLS_DELAY, local: None }
    }

    /// How long an attempt may run before the next one starts. An infinite time means one attempt at a time.
    ///
    /// # Panics
    /// If the time is negative or NaN.
    pub fn happy_eyeballs_delay(mut self, delay: impl Seconds) -> TcpConnector {
        self.delay = delay.checked_seconds("the delay between attempts to connect");
        self
    }

    /// Sets the address of this machine to connect from. Attempts with addresses of the other family fail. So the
    /// unspecified address (`0.0.0.0` or `::`) only chooses a family.
    pub fn local_address(mut self, address: IpAddr) -> TcpConnector {
        self.local = Some(address);
        self
    }

    /// Connects as [`open_tcp_stream`] does.
    ///
    /// # Cancellation
    /// The same as [`open_tcp_stream`].
    ///
    /// # Errors
    /// The errors of [`open_tcp_stream`].
    ///
    /// # Panics
    /// Outside a run.
    pub async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Error> {
        if port == 0 {
            let text = format!("nothing can listen on port 0: to connect to {host:?} takes another one");
            return Err(io::Error::new(ErrorKind::InvalidInput, text).into());
        }
        let mut addresses = getaddrinfo(host, port).await?;
        happy_eyeballs_order(&mut addresses);
        let attempt = async |remote| {
            let connected = TcpStream::connect_from(self.local, remote).await;
            connected.map_err(|error| match error {
                StreamError::Io(error) => {
                    StreamError::Io(io::Error::new(error.kind(), format!("{remote}: {error}")))
                }
                error => error,
            })
        };
        let error = match happy_eyeballs(addresses, self.delay, attempt).await {
            Ok(stream) => return Ok(stream),
            Err(error) => error,
        };
        // A cancellation is passed on, and so is an error that does not come from the attempts.
        if error.cancelled().is_some() {
            return Err(error);
        }
        let attempts = error.into_group()?;
        let target = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        Err(ConnectFailed { target, attempts }.into())
    }
}

/// No attempt to connect to a host has succeeded. The cause is the group of the errors of all attempts.
#[derive(Debug)]
pub struct ConnectFailed {
    target: String,
    attempts: ErrorGroup,
}

impl ConnectFailed {
    /// The host and port.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The errors, one for each address that was tried, in that order. Each error names its address.
    pub fn attempts(&self) -> &ErrorGroup {
        &self.attempts
    }
}

impl fmt::Display for ConnectFailed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "all attempts to connect to {} failed", self.target)
    }
}

impl StdError for ConnectFailed {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.attempts)
    }
}
