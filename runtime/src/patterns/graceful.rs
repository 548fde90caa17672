//! Graceful shutdown: a program stops taking work, finishes what is under way, and ends.
//!
//! [`CancelScope::shut_down`] cancels a scope in two steps. The code inside says what each step means for it:
//!
//! | code that | at the shutdown | when the grace period ends |
//! |---|---|---|
//! | asks for nothing | is cancelled at once | |
//! | is inside [`finish`] | goes on | is cancelled |
//! | is inside [`until_shut_down`], inside `finish` | is cancelled, and `None` is returned | |
//!
//! So a task that takes work and finishes it is written like this. A request that has come before the shutdown is
//! answered. No other one is taken.
//!
//! ```
//! use terzetto::{CancelScope, channel, graceful::{finish, until_shut_down}, nursery, sleep};
//! # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
//! let (requests, taken) = channel(10);
//! let scope = &CancelScope::new();
//! nursery(async |n| {
//!     n.start_soon(async {
//!         let served = scope.run(finish(async {
//!             let mut served = 0;
//!             while let Some(_request) = until_shut_down(async { Ok(taken.receive().await?) }).await? {
//!                 sleep(1.0).await?;
//!                 served += 1;
//!             }
//!             Ok(served)
//!         })).await?;
//!         assert_eq!(served, Some(1));
//!         Ok(())
//!     });
//!     requests.send("first").await?;
//!     sleep(0.5).await?;
//!     scope.shut_down(5.0);
//!     requests.send("too late").await?;
//!     Ok(())
//! }).await?;
//! assert_eq!(taken.receive().await?, "too late");
//! # Ok(())
//! # }).unwrap();
//! ```
//!
//! # Nurseries
//!
//! A task that is stopped ends with an error that is a cancellation. In a nursery whose scope is being shut down such
//! an error cancels nobody else: those that finish their work go on, and the nursery waits for them. An error that is a
//! failure cancels all of them, as ever.
//!
//! So [`serve_tcp`](crate::io::serve_tcp) and the other servers of [`io`](crate::io) need no settings. They stop
//! accepting, and close their listeners. Connections whose handlers are inside [`finish`] go on. The server ends when
//! they have ended. `drive_gracefully` of [`compat`](crate#features) does this for HTTP.
//!
//! # Signals
//!
//! [`until_signalled`] shuts down when Ctrl-C or SIGTERM comes.
//!
//! trio's issue 147 has the reasons. Its pull request 921 calls `finish` a soft shield.

use crate::{
    BodyCancelled, CancelScope, Error,
    core::cancel::{graceful, shut_down_state::OnShutDown},
    sleep_forever,
};

/// Runs `work` so that a shutdown lets it go on until the grace period ends.
///
/// All other cancellations reach it as usual: deadlines, failures in its nursery, the end of the grace period.
///
/// # Cancellation
/// Not a checkpoint by itself.
///
/// # Errors
/// Those of `work`.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{graceful::finish, nursery, sleep};
/// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
/// nursery(async |n| {
///     n.start_soon(finish(async { Ok(sleep(2.0).await?) }));
///     n.start_soon(async { Ok(sleep(60.0).await?) });
///     sleep(1.0).await?;
///     n.cancel_scope().shut_down(10.0);
///     Ok(())
/// }).await?;
/// // The first one has finished. The other one has ended at once.
/// assert_eq!(terzetto::current_time(), 2.0);
/// # Ok(())
/// # }).unwrap();
/// ```
#[doc(alias = "soft_shield")]
pub fn finish<T>(work: impl Future<Output = Result<T, Error>>) -> impl Future<Output = Result<T, Error>> {
    let finished = scope(OnShutDown::Finish).run(work);
    async move { Ok(finished.await?.ok_or(BodyCancelled)?) }
}

/// Runs `wait` until it ends, or a shutdown begins. Returns `None` if it was cut short by that. For waits for more
/// work, inside [`finish`].
///
/// Outside `finish` a shutdown cancels the code around as well, so this returns an error then, as any other code does.
///
/// # Cancellation
/// Not a checkpoint by itself. What `wait` loses when it is cancelled, its documentation says.
///
/// # Errors
/// Those of `wait`.
///
/// # Panics
/// Outside a run.
///
/// The example of [the module](self) uses it.
pub fn until_shut_down<T>(
    wait: impl Future<Output = Result<T, Error>>,
) -> impl Future<Output = Result<Option<T>, Error>> {
    scope(OnShutDown::Stop).run(wait)
}

fn scope(on_shut_down: OnShutDown) -> CancelScope {
    let scope = CancelScope::new();
    scope.cell.shut_down.on_shut_down.set(on_shut_down);
    scope
}

/// Waits until a shutdown begins. For code that has to be told while it does something else, inside [`finish`].
///
/// # Cancellation
/// A checkpoint.
///
/// # Errors
/// A cancellation, also that of the shutdown, if the caller is not inside [`finish`].
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{children::gather, graceful::{finish, shut_down_begun}, nursery, sleep};
/// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
/// nursery(async |n| {
///     n.start_soon(finish(async {
///         let working = async { Ok(sleep(3.0).await?) };
///         let saying_so = async { shut_down_begun().await?; assert_eq!(terzetto::current_time(), 1.0); Ok(()) };
///         gather((working, saying_so)).await?;
///         Ok(())
///     }));
///     sleep(1.0).await?;
///     n.cancel_scope().shut_down(10.0);
///     Ok(())
/// }).await
/// # }).unwrap();
/// ```
pub async fn shut_down_begun() -> Result<(), Error> {
    until_shut_down(async { Ok(sleep_forever().await?) }).await?;
    Ok(())
}

/// Whether a shutdown has begun, of any scope around the caller that no shield hides.
/// [`current_effective_deadline`](crate::current_effective_deadline) tells when its grace period ends.
///
/// # Panics
/// Outside a run.
pub fn is_shutting_down() -> bool {
    graceful::is_shutting_down()
}

/// Runs `inside` in a scope that is shut down when Ctrl-C is pressed or SIGTERM comes. A second one of these signals
/// ends the grace period.
///
/// Returns `Ok(None)` if `inside` has ended by the cancellation of this scope. For a server that a signal has stopped
/// this is always so, since its loop that accepts was cut short. Count in the handlers which connections were cut off.
///
/// While it runs, the two signals have no other effect: Ctrl-C is not an error of the main task.
///
/// # Cancellation
/// As of `inside`, and a schedule point at the end.
///
/// # Errors
/// Those of `inside`; an [`OpenSignalError`](crate::signal::OpenSignalError).
///
/// # Panics
/// If `grace` is negative or NaN. Outside a run.
///
/// ```no_run
/// use terzetto::{Error, TaskStatus, graceful::{finish, until_signalled}, io::{SendStream, TcpStream, serve_tcp}};
/// async fn greet(stream: TcpStream) -> Result<(), Error> {
///     finish(async { Ok(stream.send_all(b"hello\n").await?) }).await
/// }
/// terzetto::run(async {
///     until_signalled(10.0, serve_tcp(2323, None, greet, TaskStatus::ignored())).await?;
///     Ok(())
/// })?;
/// # Ok::<(), Error>(())
/// ```
#[cfg(feature = "signal")]
pub fn until_signalled<T>(
    grace: impl crate::core::seconds::Seconds,
    inside: impl Future<Output = Result<T, Error>>,
) -> impl Future<Output = Result<Option<T>, Error>> {
    use crate::signal::{Signal, open_signal_receiver};

    let grace = grace.checked_seconds("grace");
    // In a box, so that the future does not hold it twice.
    let inside = Box::pin(inside);
    async move {
        let signals = &open_signal_receiver(&[Signal::INT, Signal::TERM])?;
        let scope = &CancelScope::new();
        let ended = crate::nursery(async move |n| {
            n.start_soon_named("signals", async move {
                let first = signals.receive().await?;
                log::info!("{first} has come: shutting down, with {grace} s to finish");
                scope.shut_down(grace);
                let second = signals.receive().await?;
                log::info!("{second} has come: what has not finished is cancelled");
                scope.cancel_with_reason("a second signal");
                Ok(())
            });
            let outcome = scope.run(inside).await;
            n.cancel_scope().cancel();
            outcome
        });
        ended.await.map_err(Error::without_the_only_group)
    }
}
