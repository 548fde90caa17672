//! HTTP servers and clients.
//!
//! [`HttpServer`] serves a `tower` service, such as a router of `axum`, in nurseries. It speaks HTTP/1.1 and HTTP/2,
//! and lets handlers upgrade a connection, for example to a websocket. [`with_http_client`] gives a client that keeps
//! connections in a pool, and follows redirects. Both use `hyper`, whose parts for special cases are in
//! [`compat`](crate::compat) itself.
//!
//! There are no options for the time that a request may take. Scopes do that: see [`fail_after`](crate::fail_after).
//!
//! ```
//! use http_body_util::Full;
//! use hyper::{Request, Response, body::{Bytes, Incoming}};
//! use terzetto::{Error, compat::http::{HttpServer, with_http_client}, fail_after, io::open_tcp_listeners, nursery};
//!
//! // Any `tower` service will do, for example a router of `axum`.
//! let service = tower::service_fn(async |request: Request<Incoming>| {
//!     let text = format!("this is {}", request.uri().path());
//!     Ok::<_, Error>(Response::new(Full::new(Bytes::from(text))))
//! });
//! terzetto::run(async {
//!     nursery(async |n| {
//!         let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
//!         let listeners = n.start(async |status| HttpServer::new().serve(listeners, service, status).await).await?;
//!         let uri = format!("http://{}/somewhere", listeners[0].local_addr()?).parse()?;
//!         with_http_client(Default::default(), async |client| {
//!             let response = fail_after(5.0, client.get(uri)).await?;
//!             assert_eq!(response.status(), 200);
//!             assert_eq!(response.text(1000).await?, "this is /somewhere");
//!             Ok(())
//!         }).await?;
//!         n.cancel_scope().cancel();
//!         Ok(())
//!     }).await
//! })?;
//! # Ok::<(), Error>(())
//! ```
//!
//! # Handlers that must be `Send`
//!
//! `axum` demands that handlers and their futures are `Send`. The operations of this runtime are not, since they stay
//! on the run's thread. [`SendWrapper`] makes them so: it checks at each use that the thread is the right one, and
//! panics if it is not. Here all is on one thread, so it is. A handler is then written like this:
//!
//! ```
//! use axum::{Router, routing::get};
//! use terzetto::{compat::http::SendWrapper, sleep};
//! let router: Router = Router::new().route("/slow", get(|| SendWrapper::new(async {
//!     match sleep(0.1).await {
//!         Ok(()) => "done",
//!         Err(_cancelled) => "the server ends",
//!     }
//! })));
//! ```
//!
//! State that is not `Send` (an `Rc`, a [`Sender`](crate::Sender)) goes into a `SendWrapper`, too.

mod client;
mod connector;
mod error;
mod redirect;
mod response;
mod send_io;
mod server;
mod tasks;

pub use client::{ClientOptions, HttpClient, with_http_client};
pub use error::HttpError;
pub use response::HttpResponse;
pub use send_io::SendIo;
pub use send_wrapper::SendWrapper;
pub use server::HttpServer;
pub use tasks::ConnectionTasks;
