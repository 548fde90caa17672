//! Calls that can be killed: a pool of processes that work for the tasks of a run.

use std::{
    cell::RefCell,
    collections::HashMap,
    error::Error as StdError,
    fmt,
    process::ExitStatus,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use terzetto::{
    Cancelled, Error,
    io::{ReceiveStream, SendStream, StreamError},
    lowlevel::RunVar,
    process::{Command, Process, Stdio, open_process},
};

use super::frames::{Answer, GREETING, HEADER, Header, request_header};

/// So much may a process print before it [serves](super::serve).
const MAX_BEFORE_GREETING: usize = 64 * 1024;

/// Processes that answer requests, each one request at a time. It is for what must be killable: code that may hang,
/// that may take all memory, or that may crash.
///
/// A function in a thread cannot be interrupted. A process can be killed. So a [task](crate::Topology::task) sends
/// its item to a process of a pool and awaits the answer. If the call is cancelled, or takes longer than its [time
/// limit](crate::graph::EachBuilder::time_limit), its process is killed (SIGKILL), whatever it does. The item fails,
/// and the next call starts a new process. If a process dies, that too costs its own item only.
///
/// There are as many processes as calls at once: [`max_workers`](crate::graph::EachBuilder::max_workers) of the task.
/// An idle process is used again, and ends with the run. Processes of another run on the same thread are others.
/// Requests and answers are bytes: how values are written is up to the program.
///
/// ```no_run
/// use std::{process::Command, time::Duration};
/// use terzetto_executor::{ExecutorAsync, Options, Topology, processes::{ProcessPool, serve}};
///
/// if std::env::args().nth(1).as_deref() == Some("work") {
///     serve(|request| Ok(request.iter().rev().copied().collect()));
/// }
/// let this_program = std::env::current_exe()?;
/// let pool = ProcessPool::new(move || {
///     let mut command = Command::new(&this_program);
///     command.arg("work");
///     command
/// });
/// let mut topology = Topology::new("backwards");
/// let words = topology.queue::<&str>("words");
/// topology.source("list", &words, [("a", "ada"), ("b", "grace")]);
/// topology.task("turn", &words).max_workers(2).time_limit(Duration::from_secs(5)).each(async move |_, word| {
///     println!("{}", String::from_utf8(pool.call(word.as_bytes()).await?)?);
///     Ok(())
/// });
/// terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone)]
pub struct ProcessPool {
    /// The name of its processes among the idle ones of a run.
    id: u64,
    command: Arc<dyn Fn() -> std::process::Command + Send + Sync>,
}

/// The idle processes of a run, by pool. Their handles stay on the run's thread.
static IDLE: RunVar<IdleProcesses> = RunVar::with_default("idle processes", IdleProcesses::default);

type IdleProcesses = Rc<RefCell<HashMap<u64, Vec<Process>>>>;

impl ProcessPool {
    /// A pool without processes. `command` makes the command of one; it must [serve](super::serve).
    pub fn new(command: impl Fn() -> std::process::Command + Send + Sync + 'static) -> ProcessPool {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        ProcessPool { id: COUNT.fetch_add(1, Relaxed), command: Arc::new(command) }
    }

    /// Sends a request to an idle process, or to a new one, and waits for its answer.
    ///
    /// # Cancellation
    /// A checkpoint. The process that works on the request is killed, so that its work is lost. Other calls go on.
    ///
    /// # Errors
    /// [`PoolError`], also if it is cancelled.
    pub async fn call(&self, request: &[u8]) -> Result<Vec<u8>, PoolError> {
        let process = match self.take_idle() {
            Some(process) => process,
            None => self.start().await?,
        };
        // If this is cancelled or fails, the process is dropped, which kills it: nobody would read its answer.
        let answer = match exchange(&process, request).await {
            Ok(answer) => answer,
            Err(Broken::Cancelled(cancelled)) => return Err(PoolError::Cancelled(cancelled)),
            Err(Broken::Protocol) => return Err(PoolError::NotAnAnswer),
            Err(Broken::Pipe) => return Err(died(&process).await),
        };
        self.put_back(process);
        match answer {
            (Answer::Value, bytes) => Ok(bytes),
            (Answer::Error, text) => Err(PoolError::Failed(String::from_utf8_lossy(&text).into_owned())),
        }
    }

    fn take_idle(&self) -> Option<Process> {
        let idle = IDLE.get()?;
        let mut idle = idle.borrow_mut();
        let processes = idle.get_mut(&self.id)?;
        loop {
            // One that has died while it was idle has cost nothing.
            let process = processes.pop()?;
            if matches!(process.poll(), Ok(None)) {
                return Some(process);
            }
        }
    }

    fn put_back(&self, process: Process) {
        let idle = IDLE.get().unwrap_or_default();
        idle.borrow_mut().entry(self.id).or_default().push(process);
        IDLE.set(idle);
    }

    async fn start(&self) -> Result<Process, PoolError> {
        let command = Command::from_std((self.command)()).stdin(Stdio::Piped).stdout(Stdio::Piped);
        // A Ctrl-C at the terminal is for the program alone, which then ends its calls.
        let process =
            open_process(command.process_group(0)).await.map_err(|error| match error.cancelled() {
                Some(cancelled) => PoolError::Cancelled(cancelled.clone()),
                None => PoolError::Start(error),
            })?;
        match greeted(&process).await {
            Ok(()) => Ok(process),
            Err(Broken::Cancelled(cancelled)) => Err(PoolError::Cancelled(cancelled)),
            Err(Broken::Protocol) => Err(PoolError::NotAnAnswer),
            Err(Broken::Pipe) => Err(died(&process).await),
        }
    }
}

impl fmt::Debug for ProcessPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProcessPool").field("id", &self.id).finish_non_exhaustive()
    }
}

/// Why there is no answer.
enum Broken {
    Cancelled(Cancelled),
    /// The process has closed its end.
    Pipe,
    /// What it wrote is no answer.
    Protocol,
}

impl From<StreamError> for Broken {
    fn from(error: StreamError) -> Broken {
        match error {
            StreamError::Cancelled(cancelled) => Broken::Cancelled(cancelled),
            _ => Broken::Pipe,
        }
    }
}

/// Waits until the process serves. What it prints before is no part of an answer, such as a banner.
async fn greeted(process: &Process) -> Result<(), Broken> {
    let output = process.stdout.as_ref().ok_or(Broken::Pipe)?;
    let (mut seen, mut byte) = (Vec::new(), [0]);
    while !seen.ends_with(GREETING) {
        if seen.len() == MAX_BEFORE_GREETING {
            return Err(Broken::Protocol);
        }
        read_exact(output, &mut byte).await?;
        seen.push(byte[0]);
    }
    Ok(())
}

async fn exchange(process: &Process, request: &[u8]) -> Result<(Answer, Vec<u8>), Broken> {
    let (Some(input), Some(output)) = (&process.stdin, &process.stdout) else { return Err(Broken::Pipe) };
    input.send_all(&request_header(request.len())).await?;
    input.send_all(request).await?;
    let mut header = [0; HEADER];
    read_exact(output, &mut header).await?;
    let Header { answer, length } = Header::parse(header).ok_or(Broken::Protocol)?;
    // The memory grows with what comes: a length that is wrong must not take all of it.
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
    while (bytes.len() as u64) < length {
        let wanted = usize::try_from(length - bytes.len() as u64).unwrap_or(usize::MAX).min(buffer.len());
        read_exact(output, &mut buffer[..wanted]).await?;
        bytes.extend_from_slice(&buffer[..wanted]);
    }
    Ok((answer, bytes))
}

async fn read_exact(stream: &impl ReceiveStream, buffer: &mut [u8]) -> Result<(), Broken> {
    let mut filled = 0;
    while filled < buffer.len() {
        match stream.receive_some(&mut buffer[filled..]).await? {
            0 => return Err(Broken::Pipe),
            read => filled += read,
        }
    }
    Ok(())
}

/// How a process has ended that has closed its pipe. One that lives on without it is killed.
async fn died(process: &Process) -> PoolError {
    let second = terzetto::move_on_after(1.0, async { process.wait().await });
    match second.await {
        Ok(Some(status)) => PoolError::Died(status),
        Ok(None) => PoolError::NotAnAnswer,
        Err(error) => match error.cancelled() {
            Some(cancelled) => PoolError::Cancelled(cancelled.clone()),
            None => PoolError::Start(error),
        },
    }
}

/// Why a [call](ProcessPool::call) has no value.
#[derive(Debug)]
#[non_exhaustive]
pub enum PoolError {
    /// The call was cancelled, and its process killed.
    Cancelled(Cancelled),
    /// No process could be started, or waited for.
    Start(Error),
    /// The work has returned this error.
    Failed(String),
    /// The process has ended before it answered: it crashed, was killed, or does not [serve](super::serve).
    Died(ExitStatus),
    /// The process has written something else than an answer. Its work must not print to the standard output.
    NotAnAnswer,
}

impl fmt::Display for PoolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PoolError::Cancelled(cancelled) => cancelled.fmt(f),
            PoolError::Start(error) => write!(f, "no process for the call: {error}"),
            PoolError::Failed(text) => f.write_str(text),
            PoolError::Died(status) => write!(f, "the process of the call ended before it answered ({status})"),
            PoolError::NotAnAnswer => f.write_str(
                "the process of the call wrote something else than an answer to its standard output, where its work \
                 must not print",
            ),
        }
    }
}

impl StdError for PoolError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            PoolError::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }
}
