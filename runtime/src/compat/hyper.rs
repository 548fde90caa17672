//! `hyper` 1.x: transport, connections, timer and executor.

use crate::{Error, Nursery, current_time, graceful, lowlevel::checkpoint_if_cancelled, sleep};
use futures_io::{AsyncRead, AsyncWrite};
use hyper::rt::{Executor, Read, ReadBufCursor, Sleep, Timer, Write};
use send_wrapper::SendWrapper;
use std::{
    fmt,
    future::{pending, poll_fn},
    io,
    pin::{Pin, pin},
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

/// Makes a type with the `futures-io` traits a transport for `hyper`. A socket can be used as it is, any other
/// stream inside [`FuturesIo`](crate::compat::FuturesIo).
///
/// Use [`drive_connection`] to await the connection over it. See the example `http`.
#[derive(Debug)]
pub struct HyperIo<T>(T);

impl<T> HyperIo<T> {
    /// A transport over `io`.
    pub fn new(io: T) -> HyperIo<T> {
        HyperIo(io)
    }

    /// Returns the inner value.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T: AsyncRead + Unpin> Read for HyperIo<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        // SAFETY: no byte becomes uninitialised again. The bytes are written here, and after that only by the
        // reader, which writes initialised bytes.
        let room = unsafe { buffer.as_mut() };
        for byte in &mut *room {
            byte.write(0);
        }
        // SAFETY: every byte was initialised just now, and `u8` has the layout of `MaybeUninit<u8>`.
        let room = unsafe { &mut *(std::ptr::from_mut(room) as *mut [u8]) };
        let length = room.len();
        let n = ready!(Pin::new(&mut self.0).poll_read(cx, room))?;
        assert!(n <= length, "a reader claims to have read more than there was room for");
        // SAFETY: all of the room is initialised, and `n` lies within.
        unsafe { buffer.advance(n) };
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> Write for HyperIo<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, data: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}

/// Starts the futures that `hyper` runs beside a connection (for HTTP/2) as tasks of a nursery.
///
/// This is sound for the same reason as nurseries are. A started future may borrow what the nursery's children
/// may borrow, and ends with the nursery. If the nursery has closed, the future is dropped.
#[derive(Clone, Copy)]
pub struct NurseryExecutor<'scope, 'env>(&'scope Nursery<'scope, 'env>);

impl<'scope, 'env> NurseryExecutor<'scope, 'env> {
    /// Starts tasks in `nursery`.
    pub fn new(nursery: &'scope Nursery<'scope, 'env>) -> NurseryExecutor<'scope, 'env> {
        NurseryExecutor(nursery)
    }
}

impl fmt::Debug for NurseryExecutor<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NurseryExecutor").finish_non_exhaustive()
    }
}

impl<'scope, F> Executor<F> for NurseryExecutor<'scope, '_>
where
    F: Future + 'scope,
{
    fn execute(&self, future: F) {
        if self.0.is_closed() {
            log::debug!("hyper starts a task in a nursery that has closed: it is dropped");
            return;
        }
        // Cancellable, since the future may wait for something that does not notice a cancellation.
        self.0.start_soon_named("a task of hyper", async move {
            crate::cancellable(future).await?;
            Ok(())
        });
    }
}

/// Awaits a connection of `hyper`, of a server or a client, as an operation of this runtime.
///
/// If its task is cancelled, a connection fails because its transport fails. But HTTP/2 hides the cause. So this
/// function asks the scope whether it is cancelled.
///
/// # Cancellation
/// If cancelled, the connection is closed, and the other side is not told.
///
/// # Errors
/// [`Cancelled`](crate::Cancelled) if the connection fails in a cancelled scope, otherwise the error of `hyper`.
///
/// # Panics
/// Outside a run.
pub fn drive_connection<T>(
    connection: impl Future<Output = Result<T, hyper::Error>>,
) -> impl Future<Output = Result<T, Error>> {
    // In a box, so that this future does not hold the connection twice.
    let connection = Box::pin(connection);
    async move {
        match connection.await {
            Ok(value) => Ok(value),
            Err(error) => {
                checkpoint_if_cancelled().await.inspect_err(|_| log::debug!("a connection ends: {error}"))?;
                Err(error.into())
            }
        }
    }
}

/// As [`drive_connection`], for a connection of a server that finishes its requests when a scope around it is shut
/// down; see [`graceful`].
///
/// When the shutdown begins, it calls `begin` with the connection, which is to call its method `graceful_shutdown`.
/// From then on the connection takes no more requests, and ends with the last one under way. An idle connection ends
/// at once.
///
/// # Cancellation
/// A shutdown cancels it when the grace period ends. Other cancellations close the connection, as in
/// [`drive_connection`].
///
/// # Errors
/// As of [`drive_connection`].
///
/// # Panics
/// Outside a run.
///
/// ```no_run
/// # use http_body_util::Full;
/// use hyper::{Response, body::Bytes, server::conn::http1, service::service_fn};
/// use terzetto::{Error, TaskStatus, compat::{HyperIo, drive_gracefully}, graceful::until_signalled, io::*};
/// async fn connection(stream: TcpStream) -> Result<(), Error> {
///     let greet = service_fn(async |_| Ok::<_, Error>(Response::new(Full::new(Bytes::from("hello")))));
///     let served = http1::Builder::new().serve_connection(HyperIo::new(stream), greet);
///     drive_gracefully(served, |connection| connection.graceful_shutdown()).await
/// }
/// terzetto::run(async {
///     until_signalled(10.0, serve_tcp(8080, None, connection, TaskStatus::ignored())).await?;
///     Ok(())
/// })?;
/// # Ok::<(), Error>(())
/// ```
pub fn drive_gracefully<C, T>(
    connection: C,
    begin: impl FnOnce(Pin<&mut C>),
) -> impl Future<Output = Result<T, Error>>
where
    C: Future<Output = Result<T, hyper::Error>>,
{
    let mut connection = Box::pin(connection);
    graceful::finish(async move {
        let mut begun = pin!(graceful::shut_down_begun());
        let mut begin = Some(begin);
        let served = poll_fn(|cx| {
            if let Some(call) = begin.take() {
                match begun.as_mut().poll(cx) {
                    Poll::Pending => begin = Some(call),
                    Poll::Ready(Ok(())) => call(connection.as_mut()),
                    // The wait itself is cancelled. So is the connection, which says so.
                    Poll::Ready(Err(_)) => {}
                }
            }
            connection.as_mut().poll(cx)
        });
        drive_connection(served).await
    })
}

/// A timer for `hyper` that uses the run's clock, which may be a mock clock.
///
/// In a cancelled scope time stands still. A timeout does not pass there. The operation that it would have ended is
/// ended by the cancellation.
#[derive(Debug, Clone, Copy)]
pub struct HyperTimer {
    /// The same moment on two clocks.
    instant: Instant,
    time: f64,
}

impl HyperTimer {
    /// A timer on the current run's clock.
    ///
    /// # Panics
    /// Outside a run.
    #[allow(clippy::new_without_default, reason = "a default must not panic")]
    pub fn new() -> HyperTimer {
        HyperTimer { instant: Instant::now(), time: current_time() }
    }
}

/// A wait on the run's clock.
///
/// `hyper` requires it to be `Send`, so it implements `Send`. But it must stay on its thread: if it is polled or
/// dropped on another thread, it panics.
struct RunSleep(SendWrapper<Pin<Box<dyn Future<Output = ()>>>>);

impl Future for RunSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(cx)
    }
}

impl Sleep for RunSleep {}

impl Timer for HyperTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        let wait = async move {
            if sleep(duration.as_secs_f64()).await.is_err() {
                pending().await
            }
        };
        Box::pin(RunSleep(SendWrapper::new(Box::pin(wait))))
    }

    fn now(&self) -> Instant {
        self.instant + Duration::from_secs_f64((current_time() - self.time).max(0.0))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        self.sleep(deadline.saturating_duration_since(self.now()))
    }
}
