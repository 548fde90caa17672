//! One process: started, listened to, waited for; and how others reach it.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    process::ExitStatus,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use terzetto::{
    CancelScope, Cancelled, Error, cancellable, current_time,
    io::{ReceiveStream, StreamError},
    nursery,
    process::{Command, Process, Stdio, open_process},
    signal::Signal,
};

/// The processes that run. They belong to the run's thread.
#[derive(Default)]
pub(super) struct Running {
    processes: RefCell<Vec<Rc<Process>>>,
    /// The last signal that was sent: for those that start late.
    last: Cell<Option<Signal>>,
}

/// A process among those that run, until this is dropped.
struct Entry<'a>(&'a Running, Rc<Process>);

impl Running {
    fn enter(&self, process: Process) -> Entry<'_> {
        let process = Rc::new(process);
        if let Some(signal) = self.last.get() {
            send(&process, signal);
        }
        self.processes.borrow_mut().push(process.clone());
        Entry(self, process)
    }

    /// Sends a signal to all of them, and to those that are still to come.
    pub fn signal(&self, signal: Signal) {
        self.last.set(Some(signal));
        for process in self.processes.borrow().iter() {
            send(process, signal);
        }
    }
}

fn send(process: &Process, signal: Signal) {
    if let Err(error) = process.send_signal(signal) {
        log::warn!("{signal} could not be sent to {process}: {error}");
    }
}

impl Drop for Entry<'_> {
    fn drop(&mut self) {
        self.0.processes.borrow_mut().retain(|other| !Rc::ptr_eq(other, &self.1));
    }
}

/// Signals on their way to the processes, from any thread.
#[derive(Clone, Default)]
pub(super) struct Mail(Arc<Mutex<Letters>>);

#[derive(Default)]
struct Letters {
    signals: VecDeque<Signal>,
    reader: Option<Waker>,
}

impl Mail {
    /// Has a signal sent to every process that runs.
    pub fn send(&self, signal: Signal) {
        let reader = {
            let mut mail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            mail.signals.push_back(signal);
            mail.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    /// Waits for the next one.
    pub async fn next(&self) -> Result<Signal, Cancelled> {
        cancellable(poll_fn(|cx| {
            let mut mail = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            match mail.signals.pop_front() {
                Some(signal) => Poll::Ready(signal),
                None => {
                    mail.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        }))
        .await
    }
}

/// Starts a process, calls `line` with each line that it prints, and waits for its end. Its standard
/// input stays open as long as this process lives: its end tells the child that nobody listens.
///
/// What the process has started may outlive it and hold its output open. So the output is read until the process
/// has ended, and no longer than `grace` after that.
///
/// # Cancellation
/// A process that has been started is waited for all the same.
///
/// # Errors
/// The system's error if the process cannot be started or waited for.
pub(super) async fn run(
    command: std::process::Command,
    running: &Running,
    grace: Duration,
    mut line: impl FnMut(&str),
) -> Result<ExitStatus, Error> {
    let command = Command::from_std(command).stdin(Stdio::Piped).stdout(Stdio::Piped);
    // Ctrl-C at the terminal shall reach the supervisor alone, which passes it on, once.
    let mut process = open_process(command.process_group(0)).await?;
    let output = process.stdout.take();
    let entry = running.enter(process);
    let (shield, reading) = (CancelScope::new().shielded(true), CancelScope::new());
    let (line, reading_) = (&mut line, &reading);
    let ended = shield.run(nursery(async |nursery| {
        if let Some(output) = output {
            nursery.start_soon_named("reader", async move {
                let read = reading_.run(async { Ok(read_lines(&output, line).await?) }).await?;
                if read.is_none() {
                    log::warn!(
                        "a process has ended, but something that it has started holds its output open"
                    );
                }
                Ok(())
            });
        }
        let status = entry.1.wait().await?;
        reading_.set_deadline(current_time() + grace.as_secs_f64());
        Ok(status)
    }));
    ended.await?.ok_or_else(|| Error::msg("nobody else knows of the shield"))
}

/// Calls `line` with each line that comes, until the end. What cannot be read is lost: the process must
/// be waited for all the same.
async fn read_lines(output: &impl ReceiveStream, line: &mut impl FnMut(&str)) -> Result<(), Cancelled> {
    let (mut text, mut buffer) = (Vec::new(), vec![0; 4096]);
    loop {
        let n = match output.receive_some(&mut buffer).await {
            Ok(n) => n,
            Err(StreamError::Cancelled(cancelled)) => return Err(cancelled),
            Err(error) => {
                log::warn!("a process can be heard no more: {error}");
                0
            }
        };
        text.extend_from_slice(&buffer[..n]);
        while let Some(end) = text.iter().position(|byte| *byte == b'\n') {
            line(&String::from_utf8_lossy(&text[..end]));
            text.drain(..=end);
        }
        if n == 0 {
            break;
        }
    }
    if !text.is_empty() {
        line(&String::from_utf8_lossy(&text));
    }
    Ok(())
}
