//! What to run: a program, its environment, and where its standard streams lead.

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
    /// Inherited: where the same stream of this program leads.
    #[default]
    Inherit,
    /// Nowhere: `/dev/null`.
    Null,
    /// To this program, through a pipe. Our end is a stream of the [`Process`].
    Piped,
    /// To an open file, a socket or a terminal. It stays in its mode, blocking or non-blocking, because the mode
    /// belongs to the open file. Most programs expect blocking mode. So the best way to pass an end of a stream of this
    /// library is its `into_fd`, for instance [`PipeReceiver::into_fd`](crate::io::PipeReceiver::into_fd). A duplicate
    /// of its descriptor is in non-blocking mode as long as the stream is open.
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

/// What [`run_process`](crate::process::run_process) and [`supervise`](crate::process::supervise) do after the
/// start.
pub(super) struct Plan<'a> {
    pub(super) input: Option<Cow<'a, [u8]>>,
    pub(super) captures_stdout: bool,
    pub(super) captures_stderr: bool,
    pub(super) checks: bool,
    pub(super) deliver_cancel: Option<DeliverCancel<'a>>,
}

/// A program to be run, with its arguments, its environment, and where its standard streams lead.
///
/// It is built like a `std::process::Command`, and methods of the same name have the same meaning. The function
/// that runs the command consumes it. Wrong settings (an empty name, a zero byte) are reported when the command is
/// run.
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
    /// Runs `program`. It is searched for in `PATH`, unless its name contains a slash.
    pub fn new(program: impl AsRef<OsStr>) -> Command<'a> {
        Command::from_std(process::Command::new(&program)).called(program.as_ref())
    }

    /// Takes over the settings of a command of the standard library. Use it for settings that this type does not offer:
    /// users, groups, calls in the child before `exec`. Set the standard streams with the methods of this type: those
    /// of `inner` are ignored.
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

    /// Stores the name as it was given, because the standard library shows another name if this one is invalid.
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

    /// Lets it inherit no environment variables. It gets only those that are set here.
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

    /// Puts it into the process group with this number, or, if `group` is 0, into a new group of its own. In a group of
    /// its own it does not get the interrupts of our terminal, because they go only to our group.
    pub fn process_group(mut self, group: i32) -> Self {
        self.inner.process_group(group);
        self
    }

    /// Sets where its standard input comes from. By default, a process started by
    /// [`open_process`](crate::process::open_process) inherits ours, and a process started in another way has an empty
    /// input.
    pub fn stdin(mut self, stdin: impl Into<Stdio>) -> Self {
        self.stdin = Some(stdin.into());
        self
    }

    /// Sets where its standard output goes. By default, it goes where ours goes.
    pub fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.stdout = Some(stdout.into());
        self
    }

    /// Sets where its standard error goes. By default, it goes where ours goes.
    pub fn stderr(mut self, stderr: impl Into<Stdio>) -> Self {
        self.stderr = Some(stderr.into());
        self
    }

    /// Sends its standard error to the same place as its standard output, in the order of writing. This is trio's
    /// `stderr=STDOUT`.
    pub fn stderr_to_stdout(mut self) -> Self {
        self.merges = true;
        self
    }

    /// Gives it this input, and then the end of the input. If the process does not read the input, that is no error.
    /// Not for [`open_process`](crate::process::open_process).
    pub fn input<T: AsRef<[u8]> + ?Sized>(mut self, input: &'a T) -> Self {
        self.plan.input = Some(Cow::Borrowed(input.as_ref()));
        self
    }

    /// Captures its standard output. Not for [`open_process`](crate::process::open_process).
    pub fn capture_stdout(mut self) -> Self {
        self.plan.captures_stdout = true;
        self
    }

    /// Captures its standard error. Not for [`open_process`](crate::process::open_process).
    pub fn capture_stderr(mut self) -> Self {
        self.plan.captures_stderr = true;
        self
    }

    /// Whether an end without success is an error, a [`ProcessFailed`](crate::process::ProcessFailed). By default it
    /// is. Not for [`open_process`](crate::process::open_process).
    pub fn check(mut self, checks: bool) -> Self {
        self.plan.checks = checks;
        self
    }

    /// Sets what is done to end the process when the run is cancelled. The default is to send SIGTERM, wait for five
    /// seconds, and send SIGKILL. Not for [`open_process`](crate::process::open_process).
    ///
    /// The function gets a handle of the process, without streams. It runs shielded from cancellation, and it is
    /// cancelled when the process has ended. If it fails, the process is killed, and the run fails with the function's
    /// error instead of the cancellation. If it returns, the run waits for the process.
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

    /// Splits the command into what is started and what is done after the start. With `background`, the piped streams
    /// are allowed, because the user gets them from the process. Without it, nobody could reach them.
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

    /// Like [`Command::into_plan`], for a process that is only started.
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
