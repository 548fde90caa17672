//! Serving: a task for each connection.

use crate::{
    Error, Nursery, TaskStatus,
    io::{Listener, Resource, StreamError, TcpListener, TcpStream, net::open_tcp_listeners},
    nursery, sleep,
};
use std::{
    io::{self, ErrorKind},
    rc::Rc,
};

/// How long the server waits before it accepts again after a shortage of a system resource, in milliseconds.
const PAUSE_MS: u32 = 100;

/// Accepts connections on all `listeners`, and starts a task with `handler` for each connection; trio's
/// `serve_listeners`. The server has its own nursery for the handlers' tasks.
///
/// When it has [started](TaskStatus::started), it passes the listeners to `status`. So a task that starts it by
/// [`Nursery::start`] learns their addresses. It ends only by an error or a cancellation. Then the listeners are
/// closed, and the handlers are cancelled and waited for.
///
/// A handler's error is the server's error, and ends everything. If an error must not end the server, the handler
/// has to handle it. A stream is closed when its handler drops it.
///
/// If the system is short of descriptors or memory (`EMFILE`, `ENFILE`, `ENOMEM`, `ENOBUFS`), this is logged, and
/// the server accepts again after 100 ms. Any other error ends the server.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// The errors of the handlers and of accepting, in a group; `InvalidInput` if there is no listener.
///
/// ```
/// use terzetto::{io::*, nursery, Error};
/// async fn echo(stream: TcpStream) -> Result<(), Error> {
///     let mut buffer = [0; 4096];
///     loop {
///         match stream.receive_some(&mut buffer).await? {
///             0 => return Ok(()),
///             n => stream.send_all(&buffer[..n]).await?,
///         }
///     }
/// }
/// terzetto::run(async {
///     nursery(async |n| {
///         let listeners = n.start(async |status| {
///             serve_listeners(open_tcp_listeners(0, Some("127.0.0.1"), None).await?, echo, status).await
///         }).await?;
///         let client = TcpStream::connect(listeners[0].local_addr()?).await?;
///         client.send_all(b"hello").await?;
///         let mut buffer = [0; 16];
///         let received = client.receive_some(&mut buffer).await?;
///         assert_eq!(&buffer[..received], b"hello");
///         n.cancel_scope().cancel();
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), Error>(())
/// ```
pub fn serve_listeners<L, H>(
    listeners: Vec<L>,
    handler: H,
    status: TaskStatus<Vec<Rc<L>>>,
) -> impl Future<Output = Result<(), Error>>
where
    L: Listener,
    H: AsyncFn(L::Stream) -> Result<(), Error>,
{
    serve_by(listeners, Rc::new(handler), status)
}

async fn serve_by<L, H>(
    listeners: Vec<L>,
    handler: Rc<H>,
    status: TaskStatus<Vec<Rc<L>>>,
) -> Result<(), Error>
where
    L: Listener,
    H: AsyncFn(L::Stream) -> Result<(), Error>,
{
    let listeners = shared(listeners)?;
    nursery(async |n| {
        for listener in &listeners {
            n.start_soon_named("a listener", serve_one(n, listener.clone(), handler.clone()));
        }
        Ok(status.started(listeners.clone())?)
    })
    .await
}

/// Like [`serve_listeners`], with the handlers' tasks in a given nursery. They may outlive the server, and their
/// errors go to that nursery.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// The errors of [`serve_listeners`], without those of the handlers.
pub fn serve_listeners_in<'scope, 'env, L, H>(
    handlers: &'scope Nursery<'scope, 'env>,
    listeners: Vec<L>,
    handler: H,
    status: TaskStatus<Vec<Rc<L>>>,
) -> impl Future<Output = Result<(), Error>>
where
    L: Listener,
    L::Stream: 'scope,
    H: AsyncFn(L::Stream) -> Result<(), Error> + 'scope,
{
    serve_in_by(handlers, listeners, Rc::new(handler), status)
}

async fn serve_in_by<'scope, 'env, L, H>(
    handlers: &'scope Nursery<'scope, 'env>,
    listeners: Vec<L>,
    handler: Rc<H>,
    status: TaskStatus<Vec<Rc<L>>>,
) -> Result<(), Error>
where
    L: Listener,
    L::Stream: 'scope,
    H: AsyncFn(L::Stream) -> Result<(), Error> + 'scope,
{
    let listeners = shared(listeners)?;
    nursery(async |n| {
        for listener in &listeners {
            n.start_soon_named("a listener", serve_one(handlers, listener.clone(), handler.clone()));
        }
        Ok(status.started(listeners.clone())?)
    })
    .await
}

/// Listens on a TCP port and serves, like [`open_tcp_listeners`] followed by [`serve_listeners`]; trio's
/// `serve_tcp`.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// The errors of both functions.
///
/// # Panics
/// Outside a run.
///
/// ```no_run
/// use terzetto::{Error, TaskStatus, io::*};
/// async fn greet(stream: TcpStream) -> Result<(), Error> {
///     Ok(stream.send_all(b"hello\n").await?)
/// }
/// terzetto::run(serve_tcp(2323, None, greet, TaskStatus::ignored()))?;
/// # Ok::<(), Error>(())
/// ```
pub fn serve_tcp<H>(
    port: u16,
    host: Option<&str>,
    handler: H,
    status: TaskStatus<Vec<Rc<TcpListener>>>,
) -> impl Future<Output = Result<(), Error>>
where
    H: AsyncFn(TcpStream) -> Result<(), Error>,
{
    let handler = Rc::new(handler);
    async move { serve_by(open_tcp_listeners(port, host, None).await?, handler, status).await }
}

/// Like [`serve_tcp`], with the handlers' tasks in a given nursery.
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// The errors of [`open_tcp_listeners`] and [`serve_listeners_in`].
///
/// # Panics
/// Outside a run.
pub fn serve_tcp_in<'scope, 'env, H>(
    handlers: &'scope Nursery<'scope, 'env>,
    port: u16,
    host: Option<&str>,
    handler: H,
    status: TaskStatus<Vec<Rc<TcpListener>>>,
) -> impl Future<Output = Result<(), Error>>
where
    H: AsyncFn(TcpStream) -> Result<(), Error> + 'scope,
{
    let handler = Rc::new(handler);
    async move { serve_in_by(handlers, open_tcp_listeners(port, host, None).await?, handler, status).await }
}

fn shared<L>(listeners: Vec<L>) -> Result<Vec<Rc<L>>, Error> {
    match listeners.is_empty() {
        true => Err(io::Error::new(ErrorKind::InvalidInput, "there is no listener to serve").into()),
        false => Ok(listeners.into_iter().map(Rc::new).collect()),
    }
}

/// Accepts connections until that fails, and then closes the listener.
async fn serve_one<'scope, 'env, L, H>(
    handlers: &'scope Nursery<'scope, 'env>,
    listener: Rc<L>,
    handler: Rc<H>,
) -> Result<(), Error>
where
    L: Listener,
    L::Stream: 'scope,
    H: AsyncFn(L::Stream) -> Result<(), Error> + 'scope,
{
    let error = loop {
        match listener.accept().await {
            Ok(stream) => {
                let handler = handler.clone();
                handlers.start_soon_named("a connection", async move { handler(stream).await });
            }
            Err(StreamError::Io(error)) if is_shortage(&error) => {
                log::error!("accepting a connection failed: {error}; again in {PAUSE_MS} ms");
                if let Err(cancelled) = sleep(f64::from(PAUSE_MS) / 1000.0).await {
                    break cancelled.into();
                }
            }
            Err(error) => break error,
        }
    };
    if let Err(error) = listener.close().await {
        log::debug!("closing a listener: {error}");
    }
    Err(error.into())
}

/// Whether the system is short of a resource that may be available again soon.
fn is_shortage(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE | libc::ENOMEM | libc::ENOBUFS))
}
