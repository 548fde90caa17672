//! A trio-style structured-concurrency runtime.
//!
//! Tasks live in [nurseries](nursery()). A nursery is a block that ends only after all tasks started in it have
//! ended. Its tasks may borrow from the function around it. The nursery returns the errors of all of them together.
//! Code that may have to stop early runs in a [cancel scope](CancelScope). Everything happens on one thread. Code
//! that would block this thread goes to [worker threads](to_thread).
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
//! # What to use
//!
//! | to | use |
//! |---|---|
//! | run tasks together | [`nursery`](nursery()), [`Nursery::start`] for a task that says when it is ready |
//! | get their values, all in order, or at most so many at once | [`children`] |
//! | take the first of several, or ask twice | [`race`] |
//! | stop after a time, or when told | [`move_on_after`], [`fail_after`], [`CancelScope`] |
//! | stop accepting, finish what is under way, then end | [`graceful`] |
//! | keep a task running that others need, or begin it again when it fails | [`service`], [`supervise`] |
//! | try again with pauses, or not too often | [`time::Retry`], [`time::RateLimiter`] |
//! | pass values | [`channel`](channel()), [`sync`]: broadcast, watched values, one-shots, locks, events, limiters |
//! | block, compute, use files | [`to_thread`], [`fs`] |
//! | use more than one processor | [`cores`] |
//! | test with virtual time, cancel everywhere, try all orders | [`testing`] |
//! | use other libraries | `compat`, behind features |
//!
//! # Features
//!
//! The features of the first table are on by default. A program that sets `default-features = false` builds faster,
//! and has to name the features that it needs.
//!
//! | feature | what it provides |
//! |---|---|
//! | `deep-nesting` | nurseries and scopes nest as deep as memory allows; without it a stack of 2 MiB holds some 3,000 nurseries, 500 unoptimised, and deeper nesting ends the process |
//! | `fs` | [`fs`]: files, folders, paths, temporary files |
//! | `observe` | [`observe`](mod@observe): snapshots, traces and pictures of a run, a watchdog |
//! | `guest` | [`lowlevel::GuestRun`]: a run that is driven by another event loop |
//! | `process` | [`process`](mod@process), and `signal` with it |
//! | `signal` | [`signal`](mod@signal), and Ctrl-C as an error of the main task; without it Ctrl-C ends the process |
//! | `testing` | [`testing`]: a mock clock, a sequencer, streams in memory, a simulated network, checks |
//!
//! | feature | what it adds |
//! |---|---|
//! | `native-stacks` | the watchdog of [`observe`](mod@observe) shows the native stack of a step that takes too long |
//! | `anyhow`, `eyre` | [`Error`] becomes an `anyhow::Error` or an `eyre::Report` by `?` |
//! | `futures-io` | `AsyncRead` and `AsyncWrite` for every stream |
//! | `hyper` | HTTP through `hyper` |
//! | `http` | servers for `axum` and `tower`, a client with a pool, on `hyper` |
//! | `tls` | TLS through `rustls` |
//! | `tokio` | libraries that need tokio: a runtime of it in a thread beside the run |
//! | `tracing` | `observe::TaskSpans`: a span of `tracing` for each task |
//!
//! # Compile errors
//!
//! The page [`compile_errors`] lists what the compiler says about common mistakes, and what to write instead.
//!
//! # Forks
//!
//! A run does not continue in a child process made by `fork`. The child shares the descriptors of the parent's run,
//! so both would take each other's events. The child has none of the run's threads. It should end by `exec` or
//! `_exit`, so that no destructor of the run is called there. (To start a program, use [`process`](mod@process).)
//!
//! A child may start runs of its own, whatever the parent's threads did at the moment of the fork. It may start
//! them on the thread that called `fork`, if that thread was in no run, or on a thread that the child makes. Signals
//! that the parent's runs have asked for do nothing in the child, until it asks for them or sets another action.
//!
//! # Where to read
//!
//! The book in `runtime/book` teaches the crate: ten minutes from an empty project to a server, a page for each concept,
//! the semantics rule by rule, dictionaries for those who know trio or tokio, recipes, a page that steps through recorded
//! runs, and a small runtime in ten steps. All its programs are run by the tests.
//!
//! `core/` is the runtime itself. Its first page, `core/mod.rs`, explains the terms and gives an order of reading. It
//! follows three things through the code: one wake-up, one cancellation and one message.
//!
//! `time/`, `sync/`, `threads/` and `signal/` are built on the core, then `io/` (descriptors, streams, sockets),
//! `process/` and `fs/`. `patterns/` has what programs write with nurseries and scopes. `testing/` uses all of them.
//! `compat/` and `cores.rs` use only the public interface. The core depends on none of these modules. Modules that take
//! part in a run plug into the core, and `builder.rs` connects the two.

// Some links lead to items that do not exist without their feature.
#![cfg_attr(
    not(feature = "default"),
    allow(rustdoc::broken_intra_doc_links, rustdoc::private_intra_doc_links)
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![deny(missing_docs, unsafe_op_in_unsafe_fn)]

#[cfg(any(feature = "futures-io", feature = "tls"))]
pub mod compat;
#[cfg(any(doc, doctest))]
#[doc = include_str!("../docs/compile-errors.md")]
pub mod compile_errors {}
// Some of the core is used only by optional features.
mod builder;
#[cfg_attr(not(feature = "default"), allow(dead_code))]
mod core;
pub mod cores;
mod error;
#[cfg(feature = "fs")]
pub mod fs;
pub mod io;
pub mod lowlevel;
#[cfg(feature = "observe")]
pub mod observe;
mod patterns;
#[cfg(feature = "process")]
pub mod process;
#[cfg(feature = "signal")]
pub mod signal;
pub mod sync;
mod sys;
#[cfg(feature = "testing")]
pub mod testing;
mod threads;
pub mod time;

pub use crate::core::{
    cancel::{
        cancellable::cancellable,
        checkpoint::checkpoint,
        scope::{CancelScope, current_effective_deadline},
    },
    lowlevel::{blocked_report::blocked_report, deadlock_state::OnDeadlock, task_tree::task_tree},
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
    BodyCancelled, CancelReason, CancelSource, Cancelled, Deadlock, Error, ErrorGroup, InternalError,
    NurseryClosed, OrError, TaskOrigin,
};
pub use patterns::{children, graceful, race, service, supervise};
pub use sync::channel::{ReceiveError, Receiver, SendError, SendFailure, Sender, channel};
pub use threads::{from_thread, to_thread};
pub use time::{
    limits::{TooSlow, fail_after, fail_at, move_on_after, move_on_at},
    sleep::{current_time, sleep, sleep_forever, sleep_until},
};

// The program in the README is one of the tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
