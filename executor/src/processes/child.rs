//! One process: started, listened to, waited for.
//!
//! All that this crate asks of processes is here, on top of `std::process`, with one worker thread
//! for each child. When the runtime can wait for processes itself, this file is what changes.

use std::{
    io::{BufRead, BufReader},
    process::{ChildStdin, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

use terzetto::{Error, to_thread};

/// A process that runs, for whoever wants to send it a signal.
#[derive(Clone, Default)]
pub(super) struct Pid(Arc<Mutex<Option<u32>>>);

impl Pid {
    /// Sends a signal to the process, if it runs.
    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        // Under the lock: a process that has been waited for has lost its number.
        let pid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let pid = pid.and_then(|pid| i32::try_from(pid).ok()).and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid {
            // It may have ended just now.
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    fn set(&self, pid: Option<u32>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = pid;
    }
}

/// Starts a process, calls `line` with each line that it prints, and waits for its end. Its standard
/// input stays open as long as this process lives: its end tells the child that nobody listens.
///
/// # Cancellation
/// The process is waited for all the same.
///
/// # Errors
/// The system's error if the process cannot be started or waited for.
pub(super) async fn run(
    mut command: Command,
    pid: Pid,
    mut line: impl FnMut(&str) + Send + 'static,
) -> Result<ExitStatus, Error> {
    // Ctrl-C at the terminal shall reach the supervisor alone, which passes it on, once.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let ended = to_thread::run_sync(move || {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let _open: Option<ChildStdin> = child.stdin.take();
        pid.set(Some(child.id()));
        for text in child.stdout.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            line(&text?);
        }
        // The output is closed, so that the end is near; a signal may still be wanted.
        let ended = loop {
            match child.try_wait()? {
                Some(status) => break status,
                None => std::thread::sleep(std::time::Duration::from_millis(1)),
            }
        };
        pid.set(None);
        Ok::<_, std::io::Error>(ended)
    });
    Ok(ended.await??)
}
