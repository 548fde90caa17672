//! A process inside a block: feeding its input, collecting its output, and waiting for its end.

use crate::{
    Error, ErrorGroup, TaskStatus,
    io::{PipeReceiver, PipeSender, ReceiveStream, SendStream, StreamError},
    nursery,
    process::{
        Command, Process, ProcessFailed,
        command::{DeliverCancel, Plan},
        start::start,
    },
    sleep,
};
use std::{
    cell::{Cell, RefCell},
    process::ExitStatus,
};

/// For how many seconds a process may go on after it was asked to end.
const PATIENCE: f64 = 5.0;

/// How many bytes are read at once: the capacity of a pipe on Linux.
const CHUNK: usize = 65_536;

/// How a process ended, and its captured output; trio's `CompletedProcess`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompletedProcess {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output; empty if that was not captured.
    pub stdout: Vec<u8>,
    /// Its standard error; empty if that was not captured.
    pub stderr: Vec<u8>,
}

/// Runs a program and waits for its end; trio's `run_process`.
///
/// Its input is set by the command; by default it is empty. Its output goes where ours goes, unless the command
/// captures it. The call returns when the program has ended and, if its output is captured, when the output has
/// also ended. Other processes that the program has started and left running may keep the output open.
///
/// # Cancellation
/// A checkpoint. If cancelled, the program is asked to end by SIGTERM. If it still runs after five seconds, a
/// warning is logged and the program is killed. The call then waits for its end. [`Command::deliver_cancel`]
/// replaces this procedure. The captured output is lost. If the future is dropped, the program is killed at once. A
/// second Ctrl-C also kills it at once.
///
/// # Errors
/// [`ProcessFailed`] if it ends without success, unless [`Command::check`] allows this;
/// [`StartError`](crate::process::StartError) if it cannot be started; Cancelled, or instead of it the error of
/// [`Command::deliver_cancel`]; the system's errors.
///
/// # Panics
/// If the function given to [`Command::deliver_cancel`] panics; the program is then killed. Outside a run.
///
/// ```
/// use terzetto::process::{Command, ProcessFailed, run_process};
/// terzetto::run(async {
///     let done = run_process(Command::new("echo").arg("hello").capture_stdout()).await?;
///     assert_eq!(done.stdout, b"hello\n");
///     let error = run_process(Command::new("false")).await.unwrap_err();
///     let failed = error.downcast_ref::<ProcessFailed>().unwrap();
///     assert_eq!(failed.status().code(), Some(1));
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn run_process(command: Command<'_>) -> Result<CompletedProcess, Error> {
    run(command, None).await
}

/// Runs a program as a task. When the program has started, this passes its [`Process`] to `status`. It returns when
/// the program has ended. This is trio's `nursery.start(run_process, …)`.
///
/// If the command feeds or captures a stream, the [`Process`] does not have that stream. If the program fails, the
/// error contains the captured output.
///
/// # Cancellation
/// The same as [`run_process`].
///
/// # Errors
/// The errors of [`run_process`].
///
/// # Panics
/// The same as [`run_process`].
///
/// ```
/// use terzetto::{io::ReceiveStream, nursery, process::{Command, Stdio, supervise}};
/// terzetto::run(async {
///     nursery(async |n| {
///         let yes = Command::new("yes").stdout(Stdio::Piped);
///         let process = n.start(|status| supervise(yes, status)).await?;
///         let mut buffer = [0; 2];
///         process.stdout.as_ref().unwrap().receive_some(&mut buffer).await?;
///         assert_eq!(&buffer, b"y\n");
///         n.cancel_scope().cancel(); // ends `yes`, too
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub async fn supervise(command: Command<'_>, status: TaskStatus<Process>) -> Result<(), Error> {
    run(command, Some(status)).await.map(drop)
}

/// Ends the process when its supervisor is dropped, no matter who else has a handle of it.
struct Supervisor(Process);

impl Drop for Supervisor {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill() {
            log::warn!("{} is left by its supervisor and cannot be killed: {error}", self.0);
        }
    }
}

async fn run(command: Command<'_>, status: Option<TaskStatus<Process>>) -> Result<CompletedProcess, Error> {
    let name = command.describe();
    let (wiring, plan) = command.into_plan(status.is_some())?;
    let Plan { input, captures_stdout, captures_stderr, checks, deliver_cancel } = plan;
    let mut process = start(wiring, name.clone()).await?;
    let supervisor = Supervisor(process.share());
    let own = &supervisor.0;
    let feeding = input.and_then(|input| Some((process.stdin.take()?, input)));
    let (stdout, stderr) = (RefCell::default(), RefCell::default());
    let mut collecting = Vec::new();
    if captures_stdout {
        collecting.extend(process.stdout.take().map(|pipe| (pipe, &stdout)));
    }
    if captures_stderr {
        collecting.extend(process.stderr.take().map(|pipe| (pipe, &stderr)));
    }
    let ended = nursery(async |n| {
        if let Some((pipe, input)) = feeding {
            n.start_soon_named("feed a process", async move { feed(pipe, &input).await });
        }
        for (pipe, output) in collecting {
            n.start_soon_named("collect a process's output", collect(pipe, output));
        }
        if let Some(status) = status {
            status.started(process)?;
        }
        match own.wait().await {
            Err(error) => match end(own, deliver_cancel).await {
                Ok(()) => Err(error),
                // The failure replaces the cancellation that the function was called for, unless that was a Ctrl-C.
                Err(failed) => {
                    let both = ErrorGroup::new("a process could not be asked to end", vec![failed, error]);
                    Err(Error::from(both).without_the_only_group())
                }
            },
            ended => ended,
        }
    });
    // A single error needs no group around it.
    let status = ended.await.map_err(Error::without_the_only_group)?;
    let (stdout, stderr) = (stdout.into_inner(), stderr.into_inner());
    if checks && !status.success() {
        return Err(ProcessFailed { command: name, status, stdout, stderr }.into());
    }
    Ok(CompletedProcess { status, stdout, stderr })
}

/// Gives the process its input, then the end.
async fn feed(pipe: PipeSender, input: &[u8]) -> Result<(), Error> {
    match pipe.send_all(input).await {
        // The process does not read its input.
        Err(StreamError::Broken(_)) => Ok(()),
        other => Ok(other?),
    }
}

async fn collect(pipe: PipeReceiver, output: &RefCell<Vec<u8>>) -> Result<(), Error> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match pipe.receive_some(&mut chunk).await? {
            0 => return Ok(()),
            n => output.borrow_mut().extend_from_slice(&chunk[..n]),
        }
    }
}

/// Ends the process, and waits until it has ended, even if there is a cancellation meanwhile.
///
/// # Errors
/// The error of [`Command::deliver_cancel`].
async fn end(process: &Process, deliver: Option<DeliverCancel<'_>>) -> Result<(), Error> {
    let failure = Cell::new(None);
    let failed = &failure;
    // If the program has not set its own function, an error is only logged.
    let is_own = deliver.is_some();
    let ended = nursery(async |n| {
        n.cancel_scope().set_shield(true);
        n.start_soon_named("end a process", async move {
            let delivered = match deliver {
                Some(deliver) => deliver(process.share()).await,
                None => terminate(process).await,
            };
            if let Err(error) = delivered {
                if !error.is_cancelled() {
                    log::warn!("{process} is killed, since asking it to end failed: {error}");
                    failed.set(is_own.then_some(error));
                }
                if let Err(error) = process.kill() {
                    log::warn!("{process} cannot be killed: {error}");
                }
            }
            Ok(())
        });
        let ended = process.wait().await;
        // If the function still tries to end the process, it can stop now.
        n.cancel_scope().cancel();
        ended.map(drop)
    });
    if let Err(error) = ended.await {
        // The supervisor kills it when it is dropped. A second Ctrl-C leads here, because it passes through shields.
        log::warn!("{process} is killed, since its end could not be waited for: {error}");
    }
    failure.take().map_or(Ok(()), Err)
}

/// Sends SIGTERM first, and SIGKILL if that is not enough.
async fn terminate(process: &Process) -> Result<(), Error> {
    process.terminate()?;
    sleep(PATIENCE).await?;
    log::warn!(
        "{process} has ignored SIGTERM for {PATIENCE} seconds, and is killed now; \
         `deliver_cancel` can tell it in another way"
    );
    Ok(process.kill()?)
}
