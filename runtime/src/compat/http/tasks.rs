//! Tasks that belong to a connection or to a client's pool, and are started by code that cannot borrow a nursery.

use crate::{Error, Nursery, Receiver, Sender, cancellable, channel};
use send_wrapper::SendWrapper;
use std::{fmt, pin::Pin};

/// A future that waits to be started.
type Work = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Starts tasks that belong to a connection of an [`HttpServer`](crate::compat::http::HttpServer).
///
/// The server puts it into the extensions of each request. A handler cannot borrow the connection's nursery, since
/// services own what they use. It starts a task by this handle, for instance one that goes on with an upgraded
/// connection:
///
/// ```
/// use axum::{Extension, body::Body, extract::Request, http::StatusCode, response::Response};
/// use terzetto::{cancellable, compat::http::ConnectionTasks};
/// async fn upgrade(Extension(tasks): Extension<ConnectionTasks>, mut request: Request) -> Response {
///     let upgrade = hyper::upgrade::on(&mut request);
///     tasks.start_soon(async move {
///         let _connection = cancellable(upgrade).await??;
///         // … talk in the other protocol, by `HyperIo` …
///         Ok(())
///     });
///     let response = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS).header("upgrade", "echo");
///     response.body(Body::empty()).unwrap_or_default()
/// }
/// ```
#[derive(Clone)]
pub struct ConnectionTasks(SendWrapper<Sender<Work>>);

impl ConnectionTasks {
    /// A handle, and what [`feed`] takes.
    pub(super) fn open() -> (ConnectionTasks, Receiver<Work>) {
        let (sender, receiver) = channel(usize::MAX);
        (ConnectionTasks(SendWrapper::new(sender)), receiver)
    }

    /// Starts a task. It ends before the server does, and is cancelled with it. If the task fails, this is logged, and
    /// other connections go on. If the connection is gone already, the future is dropped.
    ///
    /// # Cancellation
    /// Not a checkpoint.
    ///
    /// # Panics
    /// On another thread than the run's.
    pub fn start_soon(&self, future: impl Future<Output = Result<(), Error>> + 'static) {
        if self.0.send_nowait(Box::pin(future)).is_err() {
            log::debug!("a task of an HTTP connection comes too late: it is dropped");
        }
    }
}

impl fmt::Debug for ConnectionTasks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionTasks").finish_non_exhaustive()
    }
}

/// Starts in a nursery what comes, until nobody can send any more.
pub(super) async fn feed<'scope, 'env>(
    n: &'scope Nursery<'scope, 'env>,
    work: Receiver<Work>,
) -> Result<(), Error> {
    while let Some(future) = work.next().await? {
        n.start_soon_named("a task of an HTTP connection", async move {
            match future.await {
                Err(error) if !error.is_cancelled() => log::debug!("a task of an HTTP connection: {error:?}"),
                outcome => outcome?,
            }
            Ok(())
        });
    }
    Ok(())
}

/// For the connections of a client's pool.
impl<F: Future<Output = ()> + 'static> hyper::rt::Executor<F> for ConnectionTasks {
    fn execute(&self, future: F) {
        // Cancellable, since the future may wait for something that does not notice a cancellation.
        self.start_soon(async move { Ok(cancellable(future).await?) });
    }
}
