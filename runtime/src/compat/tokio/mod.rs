//! Libraries that need tokio.
//!
//! Much of the ecosystem works only where tokio's reactor and its timers run: `reqwest`, `tokio-postgres`, `sqlx`,
//! `redis`. For such libraries a run starts a runtime of tokio in a thread of its own, when it is used for the first
//! time. This thread waits for tokio's events. The library's futures stay here: [`in_tokio`] awaits a future in the
//! task that calls it, and enters tokio's context whenever the future is polled. So the future may borrow, it need
//! not be `Send`, and cancel scopes end it as they end everything else.
//!
//! ```
//! use terzetto::{compat::tokio::in_tokio, move_on_after, nursery};
//! use tokio::{io::{AsyncReadExt, AsyncWriteExt}, net::{TcpListener, TcpStream}};
//!
//! terzetto::run(async {
//!     let listener = in_tokio(TcpListener::bind("127.0.0.1:0")).await??;
//!     let address = listener.local_addr()?;
//!     nursery(async |n| {
//!         n.start_soon(async {
//!             let (mut stream, _) = in_tokio(listener.accept()).await??;
//!             Ok(in_tokio(stream.write_all(b"hello")).await??)
//!         });
//!         let mut stream = in_tokio(TcpStream::connect(address)).await??;
//!         let mut text = String::new();
//!         in_tokio(stream.read_to_string(&mut text)).await??;
//!         assert_eq!(text, "hello");
//!         Ok(())
//!     }).await?;
//!     // Nobody connects any more. The scope ends the wait.
//!     let late = move_on_after(0.01, async { Ok(in_tokio(listener.accept()).await??) }).await?;
//!     assert!(late.is_none());
//!     Ok(())
//! })?;
//! # Ok::<(), terzetto::Error>(())
//! ```
//!
//! # Where things run
//!
//! | what | where | ends |
//! |---|---|---|
//! | a future given to [`in_tokio`] | in the calling task, on the run's thread | with the task's scope |
//! | a task of `tokio::spawn` | on tokio's thread | by itself, by `abort`, or with the run |
//! | a function of `tokio::task::spawn_blocking` | on a thread of tokio's pool | by itself; the run does not wait for it |
//!
//! Some libraries return a future that drives a connection, and show how to give it to `tokio::spawn`. Give it to a
//! nursery instead: `n.start_soon(async { Ok(in_tokio(connection).await??) })`. Then its errors are not lost, and it
//! ends with the nursery.
//!
//! # The end of the run
//!
//! The thread ends with the run. First tokio drops the tasks that are left, on its thread, and then the run joins the
//! thread. If a task does not return from its poll, the run cannot end, and the log says so. Functions of
//! `spawn_blocking` that are still running are left alone, as abandoned threads of [`to_thread`](crate::to_thread) are.
//!
//! Each run has its own runtime of tokio. A client that is kept for a later run has lost its reactor, and fails there.
//!
//! # Limits
//!
//! - Tokio's timers use real time. A [mock clock](crate::testing::MockClock) does not move them. One that jumps may
//!   jump while a task awaits tokio, since tokio's wait is not one of the run.
//! - `tokio::task::block_in_place` and `spawn_local` panic in [`in_tokio`]. A nursery does what `spawn_local` does.
//! - Tokio handles Ctrl-C for a program that uses `tokio::signal`. Use [`signal`](mod@crate::signal) instead.
//! - A [guest run](crate::lowlevel::GuestRun) with tokio as its host is in tokio's context already. Use
//!   [`cancellable`](crate::cancellable) there.

mod context;
mod notice;
mod stream;
mod thread;

pub use context::in_tokio;
pub use notice::in_tokio_with_notice;
pub use stream::TokioStream;
pub use thread::handle;
pub use tokio_util::sync::CancellationToken;
