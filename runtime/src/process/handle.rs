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
    /// Readable when the child has exited; from the first wait until its end is known.
    exit: RefCell<Option<Rc<Source<OwnedFd>>>>,
    /// Who waits for that descriptor; more wait their turn. Not a lock, which would belong to a task:
    /// one task may wait twice.
    turn: Semaphore,
}

/// A child process; trio's `Process`. Made by [`open_process`](crate::process::open_process), or by
/// [`supervise`](crate::process::supervise), which sees to its end.
///
/// # Dropping
/// A process that is dropped while it runs is killed, by SIGKILL; a thread waits for its end, so that
/// no zombie stays. (trio leaves it running, since Python does not say when an object ends. Here
/// dropping is how a cancelled future ends, and what it has started ends with it, as a nursery's
/// children do.) What is to live on is [detached](Process::detach). The handle of a supervised
/// process may be dropped: it belongs to its supervisor.
///
/// Dropping the handle also closes those pipes that were not taken out.
pub struct Process {
    /// Leads to the standard input of the process, if that is [`Piped`](crate::process::Stdio::Piped).
    /// Dropping or closing it is the end of the input.
    pub stdin: Option<PipeSender>,
    /// Comes from its standard output, if that is piped.
    pub stdout: Option<PipeReceiver>,
    /// Comes from its standard error, if that is piped.
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
        // If one of these fails the child goes with `inner`.
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

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.inner.pid
    }

    /// The program and its arguments, each in quotes.
    pub fn command(&self) -> &str {
        &self.inner.name
    }

    /// How it ended, if it has. Never waits.
    ///
    /// A process that was ended by a signal has no `code()`, but a `signal()`, from
    /// `std::os::unix::process::ExitStatusExt`; trio has a negative number for it.
    ///
    /// If the program ignores SIGCHLD, or something else in it has asked the system for the status, that is lost: it
    /// counts as success then, as in Python, and a warning is logged.
    ///
    /// # Errors
    /// What the system says.
    pub fn poll(&self) -> io::Result<Option<ExitStatus>> {
        let status = self.inner.child.borrow_mut().try_wait()?;
        if status.is_some() {
            self.close_exit();
        }
        Ok(status)
    }

    /// The descriptor is no more needed; whoever waits for it looks again.
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

    /// Waits until the process has ended; says how. Any number of tasks may wait, and again
    /// afterwards. trio's `wait`.
    ///
    /// A process whose pipes nobody reads may never end: it waits for room in them.
    ///
    /// # Cancellation
    /// A checkpoint. Nothing is lost.
    ///
    /// # Errors
    /// Cancelled; as [`Process::poll`]; if the system has no descriptor left to wait with.
    pub async fn wait(&self) -> Result<ExitStatus, Error> {
        let _turn = self.inner.turn.acquire().await?;
        loop {
            if let Some(status) = self.poll()? {
                return Ok(status);
            }
            let exit = self.exit()?;
            match exit.wait(Direction::Read).await {
                // Blocks no longer than the system needs from telling of the exit to the status.
                Ok(()) => drop(self.inner.child.borrow_mut().wait()?),
                // Another task has polled.
                Err(StreamError::Closed) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Sends it a signal. Nothing happens if its end is known; trio's `send_signal`. The number 0
    /// sends nothing, and only asks whether one could.
    ///
    /// # Errors
    /// If the signal is none that has a name, such as a real-time signal; if the system refuses, say
    /// to a program that runs as another user.
    pub fn send_signal(&self, signal: Signal) -> io::Result<()> {
        let named = process::Signal::from_named_raw(signal.number());
        if signal.number() != 0 && named.is_none() {
            let text = format!("{} is not the number of a signal with a name", signal.number());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        // As long as nobody has asked for its end, the number cannot be another's.
        if self.poll()?.is_some() {
            return Ok(());
        }
        let pid = self.raw_pid()?;
        Ok(named.map_or_else(|| test_kill_process(pid), |signal| kill_process(pid, signal))?)
    }

    /// Asks it to end, by SIGTERM.
    ///
    /// # Errors
    /// As [`Process::send_signal`].
    pub fn terminate(&self) -> io::Result<()> {
        self.send_signal(Signal::TERM)
    }

    /// Ends it, by SIGKILL, which it cannot catch. When that is done [`Process::wait`] returns.
    ///
    /// # Errors
    /// As [`Process::send_signal`].
    pub fn kill(&self) -> io::Result<()> {
        self.send_signal(Signal::KILL)
    }

    /// Lets it live when it is dropped, also beyond the end of this program. As long as that runs, no
    /// zombie stays. A supervised process is ended by its supervisor all the same.
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
