//! A trio-style structured-concurrency runtime.
//!
//! Tasks live in [nurseries](nursery()): a block that does not end before everything started in it
//! has ended, whose tasks may borrow from the frame around it, and from which the errors of all come out together.
//! What should stop early runs in a [cancel scope](CancelScope). Everything happens on one thread;
//! what would block goes to [worker threads](to_thread).
//!
//! ```
//! use terzetto::{channel, move_on_after, nursery, sleep};
//!
//! terzetto::run(async {
//!     let words = ["one", "two", "three"];
//!     let (sender, receiver) = channel(1);
//!     nursery(async |n| {
//!         let sender = sender;
//!         for word in &words {
//!             let sender = sender.clone();
//!             n.start_soon(async move { sender.send(word.len()).await?; Ok(()) });
//!         }
//!         drop(sender);
//!         let mut total = 0;
//!         while let Some(length) = receiver.next().await? { total += length; }
//!         assert_eq!(total, 11);
//!         let late = move_on_after(0.01, async { sleep(60.0).await?; Ok(()) }).await?;
//!         assert!(late.is_none());
//!         Ok(())
//!     }).await
//! })?;
//! # Ok::<(), terzetto::Error>(())
//! ```
//!
//! # Features
//!
//! All of the first table are on unless a program says `default-features = false`: then it is built
//! sooner, and names what it needs.
//!
//! | feature | what is there by it |
//! |---|---|
//! | `deep-nesting` | nurseries and scopes nest as deep as memory goes; without it a stack of 2 MiB takes some 3,000 nurseries, 500 unoptimised, and a deeper one ends the process |
//! | `fs` | [`fs`]: files, folders, paths, temporary files |
//! | `guest` | [`lowlevel::GuestRun`]: a run whose loop another loop turns |
//! | `process` | [`process`](mod@process), and `signal` with it |
//! | `signal` | [`signal`](mod@signal), and Ctrl-C as an error of the main task; without it Ctrl-C ends the process |
//! | `testing` | [`testing`]: a mock clock, a sequencer, streams in memory, checks |
//!
//! | feature | what it adds |
//! |---|---|
//! | `anyhow`, `eyre` | [`Error`] becomes an `anyhow::Error` or an `eyre::Report` by `?` |
//! | `futures-io` | `AsyncRead` and `AsyncWrite` for every stream |
//! | `hyper` | HTTP through `hyper` |
//! | `tls` | TLS through `rustls` |
//!
//! # Forks
//!
//! A run does not go on in a child made by `fork`. The child shares the descriptors of the parent's run, with
//! which both would take each other's events, and has none of its threads. It should end by `exec` or `_exit`,
//! so that no destructor of the run is called there. (To start a program there is [`process`](mod@process).)
//!
//! A child may start runs of its own, whatever the parent's threads did in the moment of the fork: on the thread
//! that called `fork`, if that was in no run, or on a thread that it makes. Signals that the parent's runs
//! have asked for do nothing in the child, until it asks for them or sets another action.
//!
//! # Where to read
//!
//! `core/` is the runtime proper. Its first page, `core/mod.rs`, gives the words, an order of reading, and three walks through
//! the code: one wake-up, one cancellation, one message.
//!
//! On the core stand `time/`, `sync/`, `threads/`, `signal/`, then `io/` (descriptors, streams, sockets), `process/` and
//! `fs/`. `testing/` uses all of them, and `compat/` only what is public. The core knows none of these: what takes part in a run
//! plugs into it. `builder.rs` puts the two together.

// Some links lead into what a feature leaves out.
#![cfg_attr(
    not(feature = "default"),
    allow(rustdoc::broken_intra_doc_links, rustdoc::private_intra_doc_links)
)]
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

#[cfg(any(feature = "futures-io", feature = "tls"))]
pub mod compat;
// Some of it serves only what a feature leaves out.
mod builder;
#[cfg_attr(not(feature = "default"), allow(dead_code))]
mod core;
mod error;
#[cfg(feature = "fs")]
pub mod fs;
pub mod io;
pub mod lowlevel;
#[cfg(feature = "process")]
pub mod process;
#[cfg(feature = "signal")]
pub mod signal;
pub mod sync;
mod sys;
#[cfg(feature = "testing")]
pub mod testing;
mod threads;
mod time;

pub use crate::core::{
    cancel::{
        cancellable::cancellable,
        checkpoint::checkpoint,
        scope::{CancelScope, current_effective_deadline},
    },
    lowlevel::statistics::task_tree,
    run::run_loop::RunError,
    seconds::Seconds,
    task::{
        context_var::ContextVar,
        current::current_task,
        handle::Task,
        nursery::{Nursery, nursery},
        start::{NeverStarted, StartedTwice, TaskStatus},
    },
};
pub use builder::{Builder, run};
pub use error::{
    BodyCancelled, CancelReason, CancelSource, Cancelled, Error, ErrorGroup, InternalError, NurseryClosed,
    OrError, TaskOrigin,
};
pub use sync::channel::{ReceiveError, Receiver, SendError, SendFailure, Sender, channel};
pub use threads::{from_thread, to_thread};
pub use time::{
    TooSlow, current_time, fail_after, fail_at, move_on_after, move_on_at, sleep, sleep_forever, sleep_until,
};
