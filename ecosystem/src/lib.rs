//! Other people's libraries on the runtime. The tests are in `tests/`, one file for each library. Here is what they
//! share: real servers, each a process in a nursery.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};
use terzetto::{
    Error, Nursery, fail_after,
    fs::TempDir,
    io::TcpStream,
    process::{Command, Process, Stdio, run_process, supervise},
    signal::Signal,
    sleep,
};

/// A server that is ready. It ends with its nursery.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process.
    pub process: Process,
    /// Its data.
    _folder: TempDir,
}

/// A port that is free now.
fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0")?.local_addr()
}

/// Waits until a server answers.
async fn until_ready(is_ready: impl AsyncFn() -> Result<bool, Error>) -> Result<(), Error> {
    fail_after(30.0, async {
        while !is_ready().await? {
            sleep(0.05).await?;
        }
        Ok(())
    })
    .await
}

/// A program of PostgreSQL. It refuses to run as root, so root becomes the user that Debian's package makes.
fn postgres_command<'a>(program: &str, is_root: bool) -> Command<'a> {
    match is_root {
        true => Command::new("setpriv").args([
            "--reuid=postgres",
            "--regid=postgres",
            "--clear-groups",
            "--",
            program,
        ]),
        false => Command::new(program),
    }
}

/// Starts a process that is told by `how` to end.
async fn start<'scope, 'env>(
    n: &'scope Nursery<'scope, 'env>,
    command: Command<'static>,
    folder: TempDir,
    address: SocketAddr,
    how: Signal,
) -> Result<Server, Error> {
    let command = command.stdout(Stdio::Null).stderr(Stdio::Null).check(false).deliver_cancel(
        async move |process: Process| {
            process.send_signal(how)?;
            sleep(5.0).await?;
            Ok(process.kill()?)
        },
    );
    let process = n.start(|status| supervise(command, status)).await?;
    Ok(Server { address, process, _folder: folder })
}

/// Starts PostgreSQL, with a superuser `postgres` who needs no password.
///
/// # Errors
/// If it is not installed, or does not start.
pub async fn postgres<'scope, 'env>(n: &'scope Nursery<'scope, 'env>) -> Result<Server, Error> {
    let folder = TempDir::new().await?;
    let path = folder.path().display().to_string();
    let id = async |args: &[&str]| {
        let text = run_process(Command::new("id").args(args).capture_stdout()).await?.stdout;
        Ok::<u32, Error>(String::from_utf8(text)?.trim().parse()?)
    };
    let is_root = id(&["-u"]).await? == 0;
    if is_root {
        std::os::unix::fs::chown(&path, Some(id(&["-u", "postgres"]).await?), None)?;
    }
    let data = format!("{path}/data");
    let made = postgres_command("initdb", is_root)
        .args(["--auth=trust", "--username=postgres", "--no-sync", "--pgdata", &data])
        .capture_stdout();
    run_process(made.capture_stderr()).await?;
    let address = free_port()?;
    let port = address.port().to_string();
    let command = postgres_command("postgres", is_root).args([
        "-F",
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "-k",
        &path,
        "-D",
        &data,
    ]);
    // It shuts down at once; by SIGTERM it would wait for its clients.
    let server = start(n, command, folder, address, Signal::QUIT).await?;
    until_ready(async || {
        let answers = Command::new("pg_isready").args(["-q", "-h", "127.0.0.1", "-p", &port]).check(false);
        Ok(run_process(answers).await?.status.success())
    })
    .await?;
    Ok(server)
}

/// Starts Redis.
///
/// # Errors
/// If it is not installed, or does not start.
pub async fn redis<'scope, 'env>(n: &'scope Nursery<'scope, 'env>) -> Result<Server, Error> {
    let folder = TempDir::new().await?;
    let address = free_port()?;
    let port = address.port().to_string();
    let command = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port, "--save", ""])
        .args(["--dir", &folder.path().display().to_string()]);
    let server = start(n, command, folder, address, Signal::TERM).await?;
    until_ready(async || Ok(TcpStream::connect(address).await.is_ok())).await?;
    Ok(server)
}
