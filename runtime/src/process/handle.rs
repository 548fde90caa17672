//! The handle of a process.

use crate::{
    Error,
    core::block::reactor::Direction,
    io::{PipeReceiver, PipeSender, Source, StapledStream, StreamError},
    process::{child::Child, exit::exit_descriptor},
    signal::Signal,
    sync::Semaphore,
};
use rustix::process::{self, Pid, kill_process, test_kill_process};
use std::{cell::RefCell, fmt, io, os::fd::OwnedFd, process::ExitStatus, rc::Rc};

struct ProcessState {
    name: String,
    pid: u32,
    child: RefCell<Child>,
    /// Readable when the child has exited. It exists from the first wait until the child's status is known.
    exit: RefCell<Option<Rc<Source<OwnedFd>>>>,
    /// Held by whoever waits for that descriptor; others wait for their turn. It is not a lock, because a lock belongs
    /// to a task, and one task may wait twice.
    turn: Semaphore,
}

/// A child process; trio's `Process`. It is made by [`open_process`](crate::process::open_process) or by
/// [`supervise`](crate::process::supervise), which also waits for its end.
///
/// # Dropping
/// A process that is dropped while it runs is killed by SIGKILL. A thread then waits for its end, so that no zombie
/// stays. (trio leaves it running, because Python does not say when an object is destroyed. Here a cancelled future
/// ends by being dropped, and everything it has started ends with it, as a nursery's children do.) To let a process
/// live on, [detach](Process::detach) it. The handle of a supervised process may be dropped, because the process
/// belongs to its supervisor.
///
/// Dropping the handle also closes the pipes that were not taken out of it.
pub struct Process {
    /// Our end of its standard input, if that is [`Piped`](crate::process::Stdio::Piped). Dropping or closing this end
    /// ends the input.
    pub stdin: Option<PipeSender>,
    /// Our end of its standard output, if that is piped.
    pub stdout: Option<PipeReceiver>,
    /// Our end of its standard error, if that is piped.
    pub stderr: Option<PipeReceiver>,
    inner: Rc<ProcessState>,
}

impl Process {
    pub(super) fn new(
        name: String,
        child: Child,
        stdin: Option<OwnedFd>,
        stdout: Option<OwnedFd>,
        stderr: Option<OwnedFd>,
    ) -> io::Result<Process> {
        let inner = Rc::new(ProcessState {
            name,
            pid: child.id(),
            child: RefCell::new(child),
            exit: RefCell::new(None),
            turn: Semaphore::with_max(1, 1),
        });
        // If one of these fails, dropping `inner` kills the child.
        let stdin = stdin.map(PipeSender::own).transpose()?;
        let stdout = stdout.map(PipeReceiver::own).transpose()?;
        let stderr = stderr.map(PipeReceiver::own).transpose()?;
        Ok(Process { stdin, stdout, stderr, inner })
    }

    /// Another handle of the same process, without its streams.
    pub(super) fn share(&self) -> Process {
        Process { stdin: None, stdout: None, stderr: None, inner: self.inner.clone() }
    }

    /// Its standard input and output as one stream, if both are piped and neither was taken out.
    pub fn stdio(&self) -> Option<StapledStream<&PipeSender, &PipeReceiver>> {
        let (send_stream, receive_stream) = (self.stdin.as_ref()?, self.stdout.as_ref()?);
        Some(StapledStream { send_stream, receive_stream })
    }

    /// Its process ID.
    pub fn pid(&self) -> u32 {
        self.inner.pid
    }

    /// The program and its arguments, each in quotes.
    pub fn command(&self) -> &str {
        &self.inner.name
    }

    /// How it ended, if it has ended. Never waits.
    ///
    /// A process that was ended by a signal has no `code()`. It has a `signal()`, from
    /// `std::os::unix::process::ExitStatusExt`. trio uses a negative number for this.
    ///
    /// If the program ignores SIGCHLD, or if another part of it has asked the system for the status, the status is
    /// lost. It then counts as success, as in Python, and a warning is logged.
    ///
    /// # Errors
    /// The system's error.
    pub fn poll(&self) -> io::Result<Option<ExitStatus>> {
        let status = self.inner.child.borrow_mut().try_wait()?;
        if status.is_some() {
            self.close_exit();
        }
        Ok(status)
    }

    /// Closes the descriptor, which is no longer needed. Whoever waits for it checks again.
    fn close_exit(&self) {
        let exit = self.inner.exit.take();
        if let Some(exit) = exit {
            exit.close();
        }
    }

    fn exit(&self) -> io::Result<Rc<Source<OwnedFd>>> {
        let known = self.inner.exit.borrow().clone();
        if let Some(exit) = known {
            return Ok(exit);
        }
        let exit = Rc::new(Source::new(exit_descriptor(self.raw_pid()?)?)?);
        *self.inner.exit.borrow_mut() = Some(exit.clone());
        Ok(exit)
    }

    fn raw_pid(&self) -> io::Result<Pid> {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw);
        pid.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Waits until the process has ended, and returns its status. Any number of tasks may wait, and a task may wait
    /// again afterwards. This is trio's `wait`.
    ///
    /// If nobody reads the pipes of a process, it may never end: it waits for room in them.
    ///
    /// # Cancellation
    /// A checkpoint. Nothing is lost.
    ///
    /// # Errors
    /// Cancelled; the errors of [`Process::poll`]; an error if the system has no descriptor left to wait with.
    pub async fn wait(&self) -> Result<ExitStatus, Error> {
        let _turn = self.inner.turn.acquire().await?;
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            let exit = self.exit()?;
            match exit.wait(Direction::Read).await {
                // This blocks only for the time that the system needs between reporting the exit and providing the
                // status.
                Ok(()) => drop(self.inner.child.borrow_mut().wait()?),
                // Another task has called `poll`.
                Err(StreamError::Closed) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends it a signal; trio's `send_signal`. If its end is already known, this does nothing. The number 0 sends
    /// nothing, and only checks whether a signal could be sent.
    ///
    /// # Errors
    /// If the signal has no name, such as a real-time signal; if the system refuses, for example because the process
    /// runs as another user.
    pub fn send_signal(&self, signal: Signal) -> io::Result<()> {
        let named = process::Signal::from_named_raw(signal.number());
        if signal.number() != 0 && named.is_none() {
            let text = format!("{} is not the number of a signal with a name", signal.number());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        // As long as nobody has asked for its status, its number cannot belong to another process.
        if self.poll()?.is_some() {
            return Ok(());
        }
        let pid = self.raw_pid()?;
        Ok(named.map_or_else(|| test_kill_process(pid), |signal| kill_process(pid, signal))?)
    }

    /// Asks it to end, by SIGTERM.
    ///
    /// # Errors
    /// The errors of [`Process::send_signal`].
    pub fn terminate(&self) -> io::Result<()> {
        self.send_signal(Signal::TERM)
    }

    /// Ends it by SIGKILL, which it cannot catch. [`Process::wait`] returns once the process has ended.
    ///
    /// # Errors
    /// The errors of [`Process::send_signal`].
    pub fn kill(&self) -> io::Result<()> {
        self.send_signal(Signal::KILL)
    }

    /// Lets the process live on when the handle is dropped, even after the end of this program. While this program
    /// runs, no zombie stays. A supervised process is still ended by its supervisor.
    pub fn detach(self) {
        self.inner.child.borrow_mut().detach();
    }
}

impl Drop for ProcessState {
    fn drop(&mut self) {
        if let Some(exit) = self.exit.take() {
            exit.close();
        }
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} ({})", self.pid(), self.command())
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = match self.poll() {
            Ok(None) => "running".to_owned(),
            Ok(Some(status)) => status.to_string(),
            Err(error) => format!("status unknown: {error}"),
        };
        write!(f, "{self}: {status}")
    }
}
