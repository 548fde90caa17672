//! Runs one program of the book in a process of its own.

use super::recorded::{self, Recorded};
use std::{
    env,
    fmt::Debug,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    panic,
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

const ASKED: &str = "TERZETTO_BOOK_PROGRAM";
/// What the test harness has printed before this line is not the program's.
const BEGINS: &str = "-- the program begins --";
/// Set if the program is to be recorded, to the title of the recording.
const RECORDED: &str = "TERZETTO_BOOK_RECORDED";
/// Begins the picture and the recording of a program, after what it has printed.
const PICTURE: &str = "-- its picture --\n";
const STATES: &str = "-- its states --\n";
/// No program of the book takes longer, however busy the machine is.
const LIMIT: Duration = Duration::from_secs(120);

/// A program: its path below `programs/`, and how to run it for its exit code.
pub type Program = (&'static str, fn() -> i32);

/// What `main` returns, as the exit code of a process.
pub trait Outcome {
    fn exit_code(self) -> i32;
}

impl Outcome for () {
    fn exit_code(self) -> i32 {
        0
    }
}

impl<E: Debug> Outcome for Result<(), E> {
    /// As the standard library does, but the error goes to standard output, where the page shows it.
    fn exit_code(self) -> i32 {
        match self {
            Ok(()) => 0,
            Err(error) => {
                println!("Error: {error:?}");
                1
            }
        }
    }
}

/// Writes what the library logs where the page shows it.
struct ShownLog;

impl log::Log for ShownLog {
    fn enabled(&self, metadata: &log::Metadata) -> bool {
        metadata.level() <= log::Level::Warn
    }
    fn log(&self, record: &log::Record) {
        if self.enabled(record.metadata()) {
            println!("log: {}: {}", record.level(), record.args());
        }
    }
    fn flush(&self) {}
}

/// Runs the program that the environment names, and ends the process with it. Does nothing if it names none.
pub fn run_if_asked(programs: &[Program]) {
    let Ok(asked) = env::var(ASKED) else { return };
    let (_, start) = programs.iter().find(|(path, _)| *path == asked).expect("it is in the list");
    let _ = log::set_logger(&ShownLog);
    log::set_max_level(log::LevelFilter::Warn);
    panic::set_hook(Box::new(|info| {
        let payload = info.payload();
        let literal = payload.downcast_ref::<&str>().copied();
        let text = literal.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        println!("panicked: {}", text.unwrap_or("…"));
    }));
    println!("{BEGINS}");
    let title = env::var(RECORDED).ok();
    if title.is_some() {
        recorded::begin();
    }
    let code = panic::catch_unwind(start).unwrap_or(101);
    if code != 0 {
        println!("(exit code {code})");
    }
    if let Some(title) = title {
        let recorded = recorded::end(&title, &file_of(&asked));
        print!("{PICTURE}{}{STATES}{}", recorded.picture, recorded.states);
    }
    std::process::exit(code);
}

fn command(path: &str) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args(["--exact", "child_runs_the_program_it_was_asked_for", "--nocapture"])
        .env(ASKED, path)
        .env_remove("TERZETTO_SEED")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// What programs print, a few of which run at the same time.
pub fn outputs_of(paths: &[&str]) -> Vec<String> {
    let share = paths.len().div_ceil(4);
    thread::scope(|scope| {
        let shares: Vec<_> = paths
            .chunks(share)
            .map(|share| scope.spawn(|| share.iter().map(|path| output_of(path)).collect::<Vec<_>>()))
            .collect();
        shares.into_iter().flat_map(|share| share.join().unwrap()).collect()
    })
}

/// The picture and the recording of a program.
pub fn recording_of(path: &str, title: &str) -> Recorded {
    let output = output_by(path, command(path).env(RECORDED, title));
    let recorded = output.split_once(PICTURE).and_then(|(_, recorded)| recorded.split_once(STATES));
    let (picture, states) = recorded.unwrap_or_else(|| panic!("{path} was not recorded:\n{output}"));
    Recorded { picture: picture.to_owned(), states: states.to_owned() }
}

/// What a program prints.
fn output_of(path: &str) -> String {
    output_by(path, &mut command(path))
}

fn output_by(path: &str, command: &mut Command) -> String {
    let mut child = command.spawn().unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let reader = thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).unwrap();
        text
    });
    let status = wait(&mut child, path);
    let text = reader.join().unwrap();
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert!(status.code().is_some(), "{path} ended by {status}\n{text}\n{stderr}");
    assert!(stderr.trim().is_empty(), "{path} wrote to standard error:\n{stderr}");
    shown(path, text.split_once(BEGINS).map_or("", |(_, shown)| shown.trim_start_matches('\n')))
}

fn wait(child: &mut Child, path: &str) -> ExitStatus {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > end {
            let _ = child.kill();
            panic!("{path} has not ended in {LIMIT:?}");
        }
        thread::sleep(Duration::from_millis(5));
    }
}

fn file_of(path: &str) -> String {
    format!("{}/book/programs/{path}", env!("CARGO_MANIFEST_DIR"))
}

/// Names of files and modules, as they would be if the program were a crate of its own.
fn shown(path: &str, text: &str) -> String {
    let file = file_of(path);
    let module = path.trim_end_matches(".rs").replace(['/', '-'], "_");
    text.replace(&file, "src/main.rs").replace(&format!("book::list::{module}::"), "program::")
}

/// Talks with a server that prints its address and ends by SIGINT. Returns the dialogue.
pub fn dialogue_with_server(path: &str) -> String {
    let mut server = command(path).spawn().unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut said = String::new();
    let listens = lines.by_ref().find(|line| line.starts_with("listening on ")).expect("it listens");
    let address = listens.trim_start_matches("listening on ").to_owned();
    said += "server: listening on ADDRESS\n";
    let mut client = TcpStream::connect(&address).unwrap();
    let mut echo = [0; 5];
    let mut ask = |said: &mut String, lines: &mut dyn Iterator<Item = String>| {
        let answered = client.write_all(b"hello").and_then(|()| client.read_exact(&mut echo));
        if let Err(error) = answered {
            let rest: Vec<String> = lines.collect();
            panic!("{path} does not answer: {error}\n{said}{}", rest.join("\n"));
        }
        *said += &format!("client: sent hello, got {}\n", String::from_utf8_lossy(&echo));
    };
    ask(&mut said, &mut lines);
    rustix::process::kill_process(rustix::process::Pid::from_child(&server), rustix::process::Signal::INT)
        .unwrap();
    said += "client: sends SIGINT to the server\n";
    let end = Instant::now() + LIMIT;
    while TcpStream::connect(&address).is_ok() {
        assert!(Instant::now() < end, "{path} still accepts");
        thread::sleep(Duration::from_millis(5));
    }
    said += "client: a new connection is refused\n";
    // The connection that is open is served on.
    ask(&mut said, &mut lines);
    said += "client: closes its connection\n";
    drop(client);
    for line in lines {
        said += &format!("server: {line}\n");
    }
    assert!(wait(&mut server, path).success());
    said
}
