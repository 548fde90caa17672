//! What to run: a program, its surroundings, and where its standard streams lead.

use crate::{
    Error,
    process::{Process, StartError, wiring::Wiring},
};
use std::{
    borrow::Cow,
    ffi::{OsStr, OsString},
    fmt, fs,
    io::{PipeReader, PipeWriter},
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStrExt, process::CommandExt},
    },
    path::Path,
    pin::Pin,
    process,
};

/// Where one of a child's standard streams leads.
#[derive(Debug, Default)]
#[non_exhaustive]
pub enum Stdio {
    /// Where ours leads.
    #[default]
    Inherit,
    /// Nowhere: `/dev/null`.
    Null,
    /// To us, through a pipe: a stream of the [`Process`].
    Piped,
    /// To an open file, a socket, a terminal; in the mode in which that is, blocking or not, since the mode
    /// belongs to the open file. Most programs expect blocking mode: an end of a stream of this library is
    /// best given by its `into_fd`, for instance [`PipeReceiver::into_fd`](crate::io::PipeReceiver::into_fd). A
    /// duplicate of it is in non-blocking mode as long as the stream is open.
    Fd(OwnedFd),
}

impl From<OwnedFd> for Stdio {
    fn from(fd: OwnedFd) -> Stdio {
        Stdio::Fd(fd)
    }
}

impl From<fs::File> for Stdio {
    fn from(file: fs::File) -> Stdio {
        Stdio::Fd(file.into())
    }
}

impl From<PipeReader> for Stdio {
    fn from(pipe: PipeReader) -> Stdio {
        Stdio::Fd(pipe.into())
    }
}

impl From<PipeWriter> for Stdio {
    fn from(pipe: PipeWriter) -> Stdio {
        Stdio::Fd(pipe.into())
    }
}

pub(super) type DeliverCancel<'a> =
    Box<dyn FnOnce(Process) -> Pin<Box<dyn Future<Output = Result<(), Error>> + 'a>> + 'a>;

/// What [`run_process`](crate::process::run_process) and [`supervise`](crate::process::supervise) do beyond the start.
pub(super) struct Plan<'a> {
    pub(super) input: Option<Cow<'a, [u8]>>,
    pub(super) captures_stdout: bool,
    pub(super) captures_stderr: bool,
    pub(super) checks: bool,
    pub(super) deliver_cancel: Option<DeliverCancel<'a>>,
}

/// A program to be run, with its arguments, its surroundings, and where its standard streams lead.
///
/// Built as a `std::process::Command` is, whose meaning all the methods of the same name have, and
/// used up by what runs it. What is set wrongly (an empty name, a zero byte) shows when it is run.
///
/// ```
/// use terzetto::process::{Command, run_process};
/// terzetto::run(async {
///     let command = Command::new("tr").args(["a-z", "A-Z"]).input(b"hello").capture_stdout();
///     assert_eq!(run_process(command).await?.stdout, b"HELLO");
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[must_use = "a command does nothing until it is run"]
pub struct Command<'a> {
    program: OsString,
    inner: process::Command,
    stdin: Option<Stdio>,
    stdout: Option<Stdio>,
    stderr: Option<Stdio>,
    merges: bool,
    plan: Plan<'a>,
    /// The first thing that was set wrongly.
    fault: Option<String>,
}

fn has_zero(text: &OsStr) -> bool {
    text.as_bytes().contains(&0)
}

impl<'a> Command<'a> {
    /// Runs `program`, looked for in `PATH` unless it has a slash in it.
    pub fn new(program: impl AsRef<OsStr>) -> Command<'a> {
        Command::from_std(process::Command::new(&program)).called(program.as_ref())
    }

    /// Takes over what was set in a command of the standard library, for all that it can and this one
    /// cannot: users, groups, calls in the child before `exec`. Its standard streams are to be set
    /// here: what was set there is not used.
    pub fn from_std(inner: process::Command) -> Command<'a> {
        let plan = Plan {
            input: None,
            captures_stdout: false,
            captures_stderr: false,
            checks: true,
            deliver_cancel: None,
        };
        let program = inner.get_program().to_owned();
        let (stdin, stdout, stderr) = (None, None, None);
        Command { program, inner, stdin, stdout, stderr, merges: false, plan, fault: None }
    }

    /// With the name as it was given: the standard library shows another one if it is wrong.
    fn called(mut self, program: &OsStr) -> Self {
        self.program = program.to_owned();
        match (program.is_empty(), has_zero(program)) {
            (true, _) => self.refuse(|| "its name is empty".into()),
            (_, true) => self.refuse(|| "its name contains a zero byte".into()),
            _ => {}
        }
        self
    }

    fn refuse(&mut self, fault: impl FnOnce() -> String) {
        self.fault.get_or_insert_with(fault);
    }

    /// Adds an argument.
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        let arg = arg.as_ref();
        if has_zero(arg) {
            let number = self.inner.get_args().len() + 1;
            self.refuse(|| format!("its argument {number} ({arg:?}) contains a zero byte"));
        }
        self.inner.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args(self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        args.into_iter().fold(self, Command::arg)
    }

    /// Sets a variable of its environment.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let (name, value) = (name.as_ref(), value.as_ref());
        if name.is_empty() || name.as_bytes().contains(&b'=') || has_zero(name) {
            self.refuse(|| format!("{name:?} cannot be the name of an environment variable"));
        } else if has_zero(value) {
            self.refuse(|| format!("the value of its variable {name:?} contains a zero byte"));
        }
        self.inner.env(name, value);
        self
    }

    /// Sets variables of its environment.
    pub fn envs(self, vars: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>) -> Self {
        vars.into_iter().fold(self, |command, (name, value)| command.env(name, value))
    }

    /// Takes a variable out of its environment.
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.inner.env_remove(name);
        self
    }

    /// Lets it inherit no environment; variables that are set here it gets.
    pub fn env_clear(mut self) -> Self {
        self.inner.env_clear();
        self
    }

    /// Sets its working directory.
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        let directory = directory.as_ref();
        if has_zero(directory.as_os_str()) {
            self.refuse(|| format!("its working directory {directory:?} contains a zero byte"));
        }
        self.inner.current_dir(directory);
        self
    }

    /// Puts it into a process group: that number's, or with 0 one of its own. In a group of its own it
    /// does not get the interrupts of our terminal, which go to the whole group.
    pub fn process_group(mut self, group: i32) -> Self {
        self.inner.process_group(group);
        self
    }

    /// Sets where its standard input comes from. By default, what
    /// [`open_process`](crate::process::open_process) starts inherits ours, and what is run otherwise finds
    /// its input empty.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = Some(stdin.into());
        self
    }

    /// Sets where its standard output goes; by default where ours goes.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Sets where its standard error goes; by default where ours goes.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = Some(stderr.into());
        self
    }

    /// Sends its standard error where its standard output goes, in the order of writing; trio's
    /// `stderr=STDOUT`.
    pub fn stderr_to_stdout(mut self) -> Self {
        self.merges = true;
        self
    }

    /// Gives it this input, then the end. If it does not read it, nothing happens. Not for
    /// [`open_process`](crate::process::open_process).
    pub fn input<T: AsRef<[u8]> + ?Sized>(mut self, input: &'a T) -> Self {
        self.plan.input = Some(Cow::Borrowed(input.as_ref()));
        self
    }

    /// Keeps what it writes to its standard output. Not for [`open_process`](crate::process::open_process).
    pub fn capture_stdout(mut self) -> Self {
        self.plan.captures_stdout = true;
        self
    }

    /// Keeps what it writes to its standard error. Not for [`open_process`](crate::process::open_process).
    pub fn capture_stderr(mut self) -> Self {
        self.plan.captures_stderr = true;
        self
    }

    /// Whether an end without success is an error, a [`ProcessFailed`](crate::process::ProcessFailed): so it
    /// is unless this says otherwise. Not for [`open_process`](crate::process::open_process).
    pub fn check(mut self, checks: bool) -> Self {
        self.plan.checks = checks;
        self
    }

    /// Sets how a cancellation is told to the process, instead of SIGTERM, five seconds' wait, and
    /// SIGKILL. Not for [`open_process`](crate::process::open_process).
    ///
    /// The function gets a handle of the process, without streams. It runs shielded, and is cancelled
    /// when the process has ended. If it fails, the process is killed, and its
    /// error is that of the run, in place of the cancellation. If it
    /// returns, the process is waited for.
    ///
    /// ```
    /// use terzetto::{move_on_after, process::{Command, run_process}, signal::Signal, sleep};
    /// terzetto::run(async {
    ///     let command = Command::new("sleep").arg("600").deliver_cancel(async |process| {
    ///         process.send_signal(Signal::INT)?;
    ///         sleep(1.0).await?;
    ///         Ok(process.kill()?)
    ///     });
    ///     assert!(move_on_after(0.05, run_process(command)).await?.is_none());
    ///     Ok(())
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn deliver_cancel<F>(mut self, deliver: F) -> Self
    where
        F: AsyncFnOnce(Process) -> Result<(), Error> + 'a,
    {
        self.plan.deliver_cancel =
            Some(Box::new(move |process| Box::pin(async move { deliver(process).await })));
        self
    }

    /// The program and its arguments, each in quotes.
    pub(super) fn describe(&self) -> String {
        let args = self.inner.get_args().map(|arg| format!(" {arg:?}"));
        format!("{:?}{}", self.program, args.collect::<String>())
    }

    pub(super) fn invalid(&self, text: &str) -> StartError {
        StartError::invalid(&self.program, text)
    }

    /// Divides the command into what is to be started and what is to be done then. In the background
    /// the streams of pipes can be had from the process, otherwise nobody could reach them.
    pub(super) fn into_plan(mut self, background: bool) -> Result<(Wiring, Plan<'a>), StartError> {
        let plan = &mut self.plan;
        let piped = [&self.stdin, &self.stdout, &self.stderr].map(|s| matches!(s, Some(Stdio::Piped)));
        let conflict = match () {
            () if plan.input.is_some() && self.stdin.is_some() => "both `input` and `stdin` are set",
            () if plan.captures_stdout && self.stdout.is_some() => {
                "both `capture_stdout` and `stdout` are set"
            }
            () if plan.captures_stderr && self.stderr.is_some() => {
                "both `capture_stderr` and `stderr` are set"
            }
            () if piped.contains(&true) && !background => {
                "nobody can reach its pipes: pass `input`, capture its output, or use `supervise`"
            }
            () => "",
        };
        if !conflict.is_empty() {
            return Err(self.invalid(conflict));
        }
        if self.stdin.is_none() {
            self.stdin = Some(Stdio::Piped);
            plan.input.get_or_insert_default();
        }
        if plan.captures_stdout {
            self.stdout = Some(Stdio::Piped);
        }
        if plan.captures_stderr {
            self.stderr = Some(Stdio::Piped);
        }
        self.into_wiring()
    }

    /// As [`Command::into_plan`], for a process that is only started.
    pub(super) fn into_started(self) -> Result<Wiring, StartError> {
        let Plan { input, captures_stdout, captures_stderr, checks, deliver_cancel } = &self.plan;
        if input.is_some() || *captures_stdout || *captures_stderr || !checks || deliver_cancel.is_some() {
            return Err(self.invalid(
                "`input`, `capture_…`, `check` and `deliver_cancel` are for `run_process` and `supervise`",
            ));
        }
        self.into_wiring().map(|(wiring, _)| wiring)
    }

    fn into_wiring(mut self) -> Result<(Wiring, Plan<'a>), StartError> {
        if self.merges && self.stderr.is_some() {
            return Err(self.invalid("both `stderr_to_stdout` and `stderr` are set"));
        }
        if let Some(fault) = self.fault.take() {
            return Err(self.invalid(&fault));
        }
        let wiring = Wiring {
            program: self.program,
            command: self.inner,
            stdin: self.stdin.unwrap_or_default(),
            stdout: self.stdout.unwrap_or_default(),
            stderr: if self.merges { None } else { Some(self.stderr.unwrap_or_default()) },
        };
        Ok((wiring, self.plan))
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Command").field(&self.inner).finish()
    }
}
