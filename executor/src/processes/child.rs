//! One process: started, listened to, waited for.
//!
//! All that this crate asks of processes is here, on top of `std::process`, with one worker thread
//! for each child. When the runtime can wait for processes itself, this file is what changes.

use std::{
    io::{BufRead, BufReader},
    process::{Child, ChildStdin, Command, ExitStatus, Stdio},
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
        let output = child.stdout.take().map(BufReader::new);
        // What cannot be read is lost; the process must be waited for all the same.
        for bytes in output.into_iter().flat_map(|output| output.split(b'\n')).map_while(Result::ok) {
            line(&String::from_utf8_lossy(&bytes));
        }
        wait_for_end(&child);
        // From here on the system may give its number to another process.
        pid.set(None);
        child.wait()
    });
    Ok(ended.await??)
}

/// Waits until a process has ended, and leaves it to be waited for: until then its number is its own.
#[cfg(unix)]
fn wait_for_end(child: &Child) {
    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
    while let Some(pid) = pid
        && let Err(rustix::io::Errno::INTR) = waitid(WaitId::Pid(pid), options)
    {}
}

#[cfg(not(unix))]
fn wait_for_end(_: &Child) {}
