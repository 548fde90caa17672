//! Serving HTTP.

use crate::{
    CancelScope, Error, TaskStatus,
    compat::{
        HyperIo, HyperTimer, NurseryExecutor,
        http::{ConnectionTasks, SendIo, tasks::feed},
    },
    graceful,
    io::{Listener, serve_listeners_in},
    lowlevel::checkpoint_if_cancelled,
    nursery,
    sync::Event,
};
use futures_io::{AsyncRead, AsyncWrite};
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    service::{Service as _, service_fn},
};
use hyper_util::{server::conn::auto, service::TowerToHyperService};
use std::{
    error::Error as StdError,
    fmt,
    future::{pending, poll_fn},
    pin::pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};
use tower_service::Service;

type BoxedError = Box<dyn StdError + Send + Sync>;

/// A server for HTTP/1.1 and HTTP/2.
///
/// If a scope around the server is [shut down](crate::graceful), the server closes its listeners. It lets the requests
/// that are under way be answered until the grace period ends. It closes each connection after its last answer, and
/// then ends. Clients of HTTP/2 are told.
///
/// Each connection has a task and a nursery. What belongs to the connection ends with it. The streams can be sockets
/// or, inside [`FuturesIo`](crate::compat::FuturesIo), any others. The protocol is chosen by the client's first bytes.
#[derive(Clone)]
#[must_use]
pub struct HttpServer {
    header_timeout: f64,
    stop: Option<Rc<Event>>,
}

impl Default for HttpServer {
    fn default() -> Self {
        HttpServer::new()
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer").field("header_timeout", &self.header_timeout).finish_non_exhaustive()
    }
}

impl HttpServer {
    /// The defaults: a client has 30 seconds to send the head of a request of HTTP/1.1.
    pub fn new() -> HttpServer {
        HttpServer { header_timeout: 30.0, stop: None }
    }

    /// How many seconds a client of HTTP/1.1 may take to send the head of a request. This is also how long a connection
    /// may be idle.
    ///
    /// # Panics
    /// If it is negative, not a number, or too large for a `Duration`.
    pub fn header_timeout(mut self, seconds: f64) -> HttpServer {
        let _checked = Duration::from_secs_f64(seconds);
        self.header_timeout = seconds;
        self
    }

    /// Makes the server stop when `event` is set, as if a scope around it were shut down, but with no grace period that
    /// ends. To limit how long that takes, shut the server's scope down instead.
    ///
    /// ```
    /// # use http_body_util::Full;
    /// # use hyper::{Request, Response, body::{Bytes, Incoming}};
    /// # use std::rc::Rc;
    /// # use terzetto::{Error, TaskStatus, compat::http::HttpServer, io::open_tcp_listeners, nursery, sync::Event};
    /// # let service = tower::service_fn(async |_: Request<Incoming>| {
    /// #     Ok::<_, Error>(Response::new(Full::new(Bytes::new())))
    /// # });
    /// terzetto::run(async {
    ///     let stop = Rc::new(Event::new());
    ///     nursery(async |n| {
    ///         let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
    ///         n.start_soon(HttpServer::new().stop_on(stop.clone()).serve(listeners, service, TaskStatus::ignored()));
    ///         stop.set();
    ///         Ok(())
    ///     }).await
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn stop_on(mut self, event: Rc<Event>) -> HttpServer {
        self.stop = Some(event);
        self
    }

    /// Serves all `listeners`. Reports by `status` that it listens, as [`serve_listeners`](crate::io::serve_listeners)
    /// does.
    ///
    /// The service is cloned for each request. A connection that fails is logged at level `debug`, and the others go
    /// on. If the service fails, its connection is closed. Each request has a [`ConnectionTasks`] among its extensions.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, connections are closed at once. A [shutdown](crate::graceful) lets them finish.
    ///
    /// # Errors
    /// The errors of accepting; `InvalidInput` if there is no listener.
    ///
    /// # Panics
    /// Outside a run.
    pub async fn serve<L, S, B>(
        self,
        listeners: Vec<L>,
        service: S,
        status: TaskStatus<Vec<Rc<L>>>,
    ) -> Result<(), Error>
    where
        L: Listener,
        L::Stream: AsyncRead + AsyncWrite + Unpin + 'static,
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + 'static,
        S::Future: 'static,
        S::Error: Into<BoxedError>,
        B: Body + 'static,
        B::Error: Into<BoxedError>,
    {
        let (server, accepting) = (&self, CancelScope::new());
        nursery(async |n| {
            if let Some(stop) = &self.stop {
                let accepting = accepting.clone();
                n.start_soon_named("the end of an HTTP server", async move {
                    stop.wait().await?;
                    accepting.cancel();
                    Ok(())
                });
            }
            let handler =
                async move |stream: L::Stream| server.serve_connection(stream, service.clone()).await;
            accepting.run(serve_listeners_in(n, listeners, handler, status)).await?;
            Ok(())
        })
        .await
    }

    /// Serves one connection.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, the connection is closed at once. A [shutdown](crate::graceful) lets it finish the
    /// requests that are under way.
    ///
    /// # Errors
    /// Only [`Cancelled`](crate::Cancelled). A connection that fails is logged.
    ///
    /// # Panics
    /// Outside a run.
    pub async fn serve_connection<I, S, B>(&self, stream: I, service: S) -> Result<(), Error>
    where
        I: AsyncRead + AsyncWrite + Unpin + 'static,
        S: Service<Request<Incoming>, Response = Response<B>> + Clone + 'static,
        S::Future: 'static,
        S::Error: Into<BoxedError>,
        B: Body + 'static,
        B::Error: Into<BoxedError>,
    {
        graceful::finish(nursery(async |n| {
            let (tasks, work) = ConnectionTasks::open();
            n.start_soon_named("tasks of an HTTP connection", feed(n, work));
            let service = TowerToHyperService::new(service);
            let service = service_fn(move |mut request: Request<Incoming>| {
                request.extensions_mut().insert(tasks.clone());
                service.call(request)
            });
            let mut protocol = auto::Builder::new(NurseryExecutor::new(n));
            let timeout = Duration::from_secs_f64(self.header_timeout);
            protocol.http1().timer(HyperTimer::new()).header_read_timeout(timeout);
            protocol.http2().timer(HyperTimer::new());
            let io = HyperIo::new(SendIo::new(stream));
            // In a box, since the state of a connection is large.
            let mut connection = Box::pin(protocol.serve_connection_with_upgrades(io, service));
            let mut stop = pin!(self.told_to_stop());
            let mut told = false;
            let end = poll_fn(|cx| {
                if !told && let Poll::Ready(is_set) = stop.as_mut().poll(cx) {
                    told = true;
                    if is_set {
                        connection.as_mut().graceful_shutdown();
                    }
                }
                connection.as_mut().poll(cx)
            })
            .await;
            if let Err(error) = end {
                checkpoint_if_cancelled().await?;
                log::debug!("an HTTP connection ends: {error}");
            }
            Ok(())
        }))
        .await
    }

    /// Waits until the server is to stop. Returns false if this wait itself is cancelled.
    async fn told_to_stop(&self) -> bool {
        let mut begun = pin!(graceful::shut_down_begun());
        let mut asked = pin!(async {
            match &self.stop {
                Some(stop) => stop.wait().await.is_ok(),
                None => pending().await,
            }
        });
        poll_fn(|cx| match begun.as_mut().poll(cx) {
            Poll::Ready(told) => Poll::Ready(told.is_ok()),
            Poll::Pending => asked.as_mut().poll(cx),
        })
        .await
    }
}
