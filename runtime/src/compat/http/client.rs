//! A client with a pool of connections.

use crate::{
    Error, cancellable,
    compat::{
        HyperTimer,
        http::{
            ConnectionTasks, HttpError, HttpResponse,
            connector::Connector,
            redirect::{clean_headers, next_method, resolve},
            tasks::feed,
        },
    },
    nursery,
};
use http_body_util::Full;
use hyper::{
    Request, Response, Uri,
    body::{Bytes, Incoming},
    header::LOCATION,
};
use hyper_util::client::legacy::{Client, Error as PoolError};
use std::{fmt, time::Duration};

/// Options of a client.
#[derive(Clone)]
#[must_use]
pub struct ClientOptions {
    max_redirects: usize,
    max_idle_per_host: usize,
    idle_timeout: f64,
    connect_timeout: f64,
    #[cfg(feature = "tls")]
    tls: Option<std::sync::Arc<rustls::ClientConfig>>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions::new()
    }
}

impl fmt::Debug for ClientOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOptions")
            .field("max_redirects", &self.max_redirects)
            .field("max_idle_per_host", &self.max_idle_per_host)
            .field("idle_timeout", &self.idle_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .finish_non_exhaustive()
    }
}

impl ClientOptions {
    /// The defaults: at most 10 redirects, 8 idle connections for each host, each for at most 90 seconds, and 30
    /// seconds to connect.
    pub fn new() -> ClientOptions {
        ClientOptions {
            max_redirects: 10,
            max_idle_per_host: 8,
            idle_timeout: 90.0,
            connect_timeout: 30.0,
            #[cfg(feature = "tls")]
            tls: None,
        }
    }

    /// How many redirects are followed for a request. If it is zero, a redirect is returned as it is.
    pub fn max_redirects(mut self, limit: usize) -> ClientOptions {
        self.max_redirects = limit;
        self
    }

    /// How many connections are kept open for each host while they are not used.
    pub fn max_idle_per_host(mut self, limit: usize) -> ClientOptions {
        self.max_idle_per_host = limit;
        self
    }

    /// How many seconds a connection is kept open while it is not used.
    ///
    /// # Panics
    /// If it is negative, not a number, or too large for a `Duration`.
    pub fn idle_timeout(mut self, seconds: f64) -> ClientOptions {
        let _checked = Duration::from_secs_f64(seconds);
        self.idle_timeout = seconds;
        self
    }

    /// How many seconds an attempt to connect may take, with the handshake of TLS. A scope around a request limits the
    /// whole request.
    pub fn connect_timeout(mut self, seconds: f64) -> ClientOptions {
        self.connect_timeout = seconds;
        self
    }

    /// The configuration of TLS, without which addresses with `https` are refused. For HTTP/2 its `alpn_protocols`
    /// have to be `h2` and `http/1.1`.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, config: std::sync::Arc<rustls::ClientConfig>) -> ClientOptions {
        self.tls = Some(config);
        self
    }
}

/// A client for HTTP, made by [`with_http_client`]. Its methods take `&self`, so many tasks can share it.
pub struct HttpClient {
    pool: Client<Connector, Full<Bytes>>,
    max_redirects: usize,
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").field("max_redirects", &self.max_redirects).finish_non_exhaustive()
    }
}

/// Calls `body` with an HTTP client. The client's connections live in a nursery around `body`, and are closed at its
/// end.
///
/// # Cancellation
/// A checkpoint at its end. `body` is cancelled as everything else.
///
/// # Errors
/// The errors of `body`, unchanged.
///
/// # Panics
/// Outside a run.
///
/// ```no_run
/// use terzetto::{compat::http::{ClientOptions, with_http_client}, move_on_after};
/// terzetto::run(with_http_client(ClientOptions::new().max_redirects(3), async |client| {
///     let page = move_on_after(5.0, async {
///         client.get("http://example.org/".parse()?).await?.text(1 << 20).await
///     });
///     log::info!("{}", page.await?.unwrap_or_default());
///     Ok(())
/// }))?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn with_http_client<T>(
    options: ClientOptions,
    body: impl AsyncFnOnce(&HttpClient) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut outcome = None;
    nursery(async |n| {
        let (tasks, work) = ConnectionTasks::open();
        n.start_soon_named("connections of an HTTP client", feed(n, work));
        let connector = Connector {
            timeout: options.connect_timeout,
            #[cfg(feature = "tls")]
            tls: options.tls.clone(),
        };
        let pool = Client::builder(tasks)
            .pool_timer(HyperTimer::new())
            .timer(HyperTimer::new())
            .pool_idle_timeout(Duration::from_secs_f64(options.idle_timeout))
            .pool_max_idle_per_host(options.max_idle_per_host)
            .build(connector);
        let client = HttpClient { pool, max_redirects: options.max_redirects };
        outcome = Some(body(&client).await);
        n.cancel_scope().cancel();
        Ok(())
    })
    .await?;
    match outcome {
        Some(outcome) => outcome,
        None => unreachable!("the body of a nursery that returns well has been run"),
    }
}

impl HttpClient {
    /// Gets a page. Returns when the head of the response has come.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the request is given up.
    ///
    /// # Errors
    /// As for [`HttpClient::send`].
    pub async fn get(&self, uri: Uri) -> Result<HttpResponse, Error> {
        let request = Request::get(uri).body(Full::default())?;
        self.send(request).await
    }

    /// Sends a request, and follows redirects. Returns when the head of the response has come. A response with a status
    /// of failure is not an error.
    ///
    /// The body of a redirected request is sent again if the status asks for that (307, 308); otherwise the next
    /// request is a GET. Credentials (`authorization`, `cookie`) are not sent to another origin.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the request is given up: the server may or may not have seen it.
    ///
    /// # Errors
    /// The errors of connecting and of the connection; an [`HttpError`].
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Result<HttpResponse, Error> {
        let (mut head, mut body) = request.into_parts();
        for followed in 0.. {
            let mut request = Request::new(body.clone());
            *request.method_mut() = head.method.clone();
            *request.uri_mut() = head.uri.clone();
            *request.headers_mut() = head.headers.clone();
            *request.version_mut() = head.version;
            let response = self.send_once(request).await?;
            let Some((method, keeps_body)) = next_method(response.status(), &head.method) else {
                return Ok(HttpResponse::new(response, head.uri));
            };
            let Some(location) = response.headers().get(LOCATION).filter(|_| self.max_redirects > 0) else {
                return Ok(HttpResponse::new(response, head.uri));
            };
            if followed == self.max_redirects {
                return Err(HttpError::TooManyRedirects(self.max_redirects).into());
            }
            let location = String::from_utf8_lossy(location.as_bytes());
            let next = resolve(&head.uri, &location)?;
            clean_headers(&mut head.headers, keeps_body, &head.uri, &next);
            if !keeps_body {
                body = Full::default();
            }
            (head.method, head.uri) = (method, next);
        }
        unreachable!("the number of redirects is limited")
    }

    /// Sends a request without following redirects.
    async fn send_once(&self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Error> {
        if request.uri().host().is_none() {
            return Err(HttpError::BadUri(request.uri().to_string()).into());
        }
        let sent: Result<_, PoolError> = cancellable(self.pool.request(request)).await?;
        Ok(sent?)
    }
}
