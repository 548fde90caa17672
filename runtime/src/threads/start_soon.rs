//! Threads without a run: a function goes to a worker, and its outcome to whoever is told.
//!
//! The workers of [`to_thread`](crate::threads::to_thread) belong to a run, and leave with it. Those of this function
//! belong to the process, and are kept for a while after each job.

use crate::{
    core::run::per_process::{GENERATIONS, PerProcess, Slot},
    error::failure::{discard, panic_text},
    threads::{
        job::{Done, Work, short_name},
        workers::Workers,
    },
};
use std::{
    any::type_name,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
};

/// The workers of the process. A forked child has its own, since it has none of its parent's threads.
static WORKERS: PerProcess<OnceLock<Workers>> =
    PerProcess::new([const { Slot::new(OnceLock::new()) }; GENERATIONS]);

/// A function, and who is told what came of it. Gone once they are taken out.
struct SoonJob<F, D>(Mutex<Option<(F, D)>>);

impl<T, F, D> Work for SoonJob<F, D>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send,
    D: FnOnce(thread::Result<T>) + Send + 'static,
{
    fn work(self: Arc<Self>) -> Done {
        let job = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some((f, deliver)) = job else { return Done::deliver(|| ()) };
        // With the call the function is dropped, and all that it holds.
        let outcome = catch_unwind(AssertUnwindSafe(f));
        Done::deliver(move || {
            if let Err(payload) = catch_unwind(AssertUnwindSafe(|| deliver(outcome))) {
                let text = panic_text(&*payload).unwrap_or("its message is no text").to_owned();
                log::error!("delivering the outcome of a thread's function panicked: {text}");
                discard(payload);
            }
        })
    }

    fn name(&self) -> &str {
        short_name(type_name::<F>())
    }
}

/// Calls `f` in a thread and does not wait; trio's `start_thread_soon`. The thread then calls `deliver` with the
/// result of `f`, or with the payload of its panic.
///
/// This function needs no run, does not support cancellation, and has no limit. It is for libraries that build their
/// own functions on it. Other code uses [`to_thread::run_sync`](crate::to_thread::run_sync). Threads are kept for
/// some seconds, for the next call. A thread counts as free when `f` has returned, so `deliver` should be short.
/// Usually it calls [`Token::run_sync_soon`](crate::lowlevel::Token::run_sync_soon). If `deliver` panics, that is
/// logged.
///
/// # Errors
/// If a thread was needed, and the system could not make one. Then neither function is called.
///
/// ```
/// use std::sync::mpsc;
/// use terzetto::lowlevel::start_thread_soon;
/// let (send, outcome) = mpsc::channel();
/// start_thread_soon(|| 6 * 7, move |answer| drop(send.send(answer)))?;
/// assert_eq!(outcome.recv()?.unwrap(), 42);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn start_thread_soon<T, F, D>(f: F, deliver: D) -> io::Result<()>
where
    T: Send + 'static,
    F: FnOnce() -> T + Send + 'static,
    D: FnOnce(thread::Result<T>) + Send + 'static,
{
    let workers = WORKERS.get().get_or_init(|| Workers::new(None));
    workers.start(Arc::new(SoonJob(Mutex::new(Some((f, deliver))))))
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::start_thread_soon;
    use crate::core::run::per_process::forked::returns_in_a_child;
    use std::{sync::mpsc, time::Duration};

    fn answer() -> Option<u32> {
        let (send, outcome) = mpsc::channel();
        start_thread_soon(|| 42, move |end| send.send(end.ok()).unwrap()).ok()?;
        outcome.recv_timeout(Duration::from_secs(10)).ok().flatten()
    }

    #[test]
    fn a_forked_child_has_threads_of_its_own() {
        assert_eq!(answer(), Some(42));
        assert!(returns_in_a_child(|| assert_eq!(answer(), Some(42))));
        assert_eq!(answer(), Some(42));
    }
}
