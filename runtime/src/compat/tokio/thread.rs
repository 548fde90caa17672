//! The thread in which a run's tokio waits for events.

use crate::{Error, lowlevel::RunVar};
use std::{
    rc::Rc,
    sync::mpsc::{self, RecvTimeoutError},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    runtime::{Builder, Handle},
    sync::oneshot,
};

/// How long the end of a run waits before the log tells what it waits for.
const PATIENCE: Duration = Duration::from_secs(3);

/// The thread of the current run, once tokio was used in it. It is dropped at the end of the run.
static THREAD: RunVar<Rc<TokioThread>> = RunVar::new("the thread of tokio");

/// A runtime of tokio, and the thread that turns its loop.
struct TokioThread {
    handle: Handle,
    /// Dropping this ends the loop.
    stop: Option<oneshot::Sender<()>>,
    /// Its other end is dropped when the runtime is gone.
    gone: mpsc::Receiver<()>,
    thread: Option<JoinHandle<()>>,
}

impl TokioThread {
    fn start() -> Result<TokioThread, Error> {
        let runtime = Builder::new_current_thread().enable_all().thread_name("tokio-blocking").build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let (alive, gone) = mpsc::channel();
        let thread = thread::Builder::new().name("tokio".to_owned()).spawn(move || {
            let _alive: mpsc::Sender<()> = alive;
            let _end = runtime.block_on(stopped);
            // Drops the tasks here. Does not wait for the pool of blocking threads.
            runtime.shutdown_background();
        })?;
        Ok(TokioThread { handle, stop: Some(stop), gone, thread: Some(thread) })
    }
}

impl Drop for TokioThread {
    fn drop(&mut self) {
        self.stop = None;
        if let Err(RecvTimeoutError::Timeout) = self.gone.recv_timeout(PATIENCE) {
            log::warn!("the run waits for tokio's thread: a task on it, or a destructor, does not return");
        }
        if let Some(Err(_panic)) = self.thread.take().map(JoinHandle::join) {
            log::error!("tokio's thread has panicked; what was left on it is lost");
        }
    }
}

/// The handle of the current run's tokio, which is started if it does not run yet.
///
/// Some types need tokio's context where they are made, in code that is not `async`. Enter it by
/// `handle()?.enter()`. Keep the guard only as long as that takes, and not across an `.await`.
///
/// # Cancellation
/// Not a checkpoint.
///
/// # Errors
/// The system's error if it refuses a thread or a descriptor.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::compat::tokio::{handle, in_tokio};
/// use std::time::Duration;
/// terzetto::run(async {
///     // This function would panic outside tokio.
///     let mut ticks = {
///         let _context = handle()?.enter();
///         tokio::time::interval(Duration::from_millis(1))
///     };
///     in_tokio(ticks.tick()).await?;
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn handle() -> Result<Handle, Error> {
    let thread = match THREAD.get() {
        Some(thread) => thread,
        None => {
            let thread = Rc::new(TokioThread::start()?);
            THREAD.set(thread.clone());
            thread
        }
    };
    Ok(thread.handle.clone())
}
