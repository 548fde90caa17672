//! Snapshots over a Unix socket.
//!
//! A thread of its own accepts the clients, asks the loop for a snapshot, and writes it. So a slow client holds nobody
//! up, and a loop that does not answer is reported. A task would do for neither. The thread holds no token: that
//! somebody may ask for a snapshot must not hide a deadlock.

use crate::{
    core::{
        run,
        run::{
            Run,
            extensions::Extension,
            inbox::{Inbox, Message},
        },
    },
    observe::snapshot,
};
use std::{
    cell::Cell,
    fs,
    io::{self, Write},
    os::unix::{
        fs::PermissionsExt,
        net::{UnixListener, UnixStream},
    },
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::Duration,
};

/// How long the loop may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long a client may take to read.
const READING: Duration = Duration::from_secs(10);
/// What a client gets if the loop does not answer.
const NO_ANSWER: &str = r#"{"schema":"terzetto-snapshot-1","error":"the run loop has not answered for 2 s: a task computes or blocks without a checkpoint"}"#;

/// A socket that is bound.
pub(crate) struct TaskSocket {
    file: SocketFile,
    listener: UnixListener,
}

/// The file of a socket. Dropping this removes it.
struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Somebody may have removed it.
        let _gone = fs::remove_file(&self.0);
    }
}

impl TaskSocket {
    /// Binds the socket. Only the user may connect to it. A socket that an earlier process has left there is replaced.
    pub(crate) fn bind(path: &Path) -> io::Result<TaskSocket> {
        let named = |error: io::Error| {
            io::Error::new(error.kind(), format!("the socket for tasks {}: {error}", path.display()))
        };
        let listener = match UnixListener::bind(path) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && is_left_over(path) => {
                fs::remove_file(path).and_then(|()| UnixListener::bind(path))
            }
            bound => bound,
        };
        let listener = listener.map_err(named)?;
        let socket = TaskSocket { file: SocketFile(path.to_owned()), listener };
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).map_err(named)?;
        Ok(socket)
    }

    /// Serves the snapshots of a run until it ends.
    pub(crate) fn plug_into(self, run: &Run) {
        let TaskSocket { file, listener } = self;
        let over = Arc::new(AtomicBool::new(false));
        let (inbox, is_over) = (run.inbox.clone(), over.clone());
        let serve = move || {
            for client in listener.incoming() {
                if is_over.load(SeqCst) {
                    break;
                }
                match client {
                    Ok(client) => serve(&client, &inbox),
                    Err(error) => {
                        log::warn!("the socket for tasks could not accept: {error}");
                        thread::sleep(READING / 10);
                    }
                }
            }
        };
        match thread::Builder::new().name("terzetto tasks".to_owned()).spawn(serve) {
            Ok(_detached) => drop(run.extensions.get(|| Serving { file: Some(file).into(), over })),
            Err(error) => log::warn!("the socket for tasks is not served: {error}"),
        }
    }
}

/// Whether nobody listens at a socket.
fn is_left_over(path: &Path) -> bool {
    UnixStream::connect(path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
}

fn serve(mut client: &UnixStream, inbox: &Inbox) {
    let (answer, answered) = mpsc::channel();
    let call = move || {
        let json = run::try_with(|run| snapshot::of_run(run));
        // The thread may have lost its patience.
        let _sent = answer.send(json);
    };
    if inbox.push(Message::Call(Box::new(call))).is_err() {
        return;
    }
    let json = match answered.recv_timeout(PATIENCE) {
        Ok(Some(json)) => json,
        Ok(None) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
        Err(mpsc::RecvTimeoutError::Timeout) => NO_ANSWER.to_owned(),
    };
    // A client may leave before it has read all.
    let _read = client.set_write_timeout(Some(READING)).and_then(|()| writeln!(client, "{json}"));
}

/// A socket that is served, until the run ends.
struct Serving {
    file: Cell<Option<SocketFile>>,
    over: Arc<AtomicBool>,
}

impl Extension for Serving {
    fn run_ends(&self) {
        self.over.store(true, SeqCst);
        // This wakes the thread, which ends when it has served its last client. If somebody has removed the socket, the
        // thread stays until the process ends.
        if let Some(file) = self.file.take() {
            let _woken = UnixStream::connect(&file.0);
        }
    }
}
