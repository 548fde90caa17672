//! Calls in processes: what hangs is killed, what crashes costs one item, and no process outlives its run.
#![cfg(unix)]

mod common;

use std::{
    collections::HashSet,
    fs,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use terzetto::Error;
use terzetto_executor::{
    ExecutorAsync, Options, Outcome, Topology,
    processes::{ProcessPool, serve},
};

use common::{
    executors::{On, execute_within},
    folder::Folder,
};

/// Set in processes that play a role: `serve`, or `run FOLDER`.
const ROLE: &str = "TERZETTO_TEST_POOL";

/// This program, in a role.
fn this_program(role: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("the test's program"));
    command.args(["--exact", "plays_its_role", "--nocapture"]).env(ROLE, role).stderr(Stdio::null());
    command
}

fn pool() -> ProcessPool {
    ProcessPool::new(|| this_program("serve"))
}

/// No test: what processes do that the tests have started. The harness prints something before it.
#[test]
fn plays_its_role() {
    match std::env::var(ROLE) {
        Ok(role) if role == "serve" => serve(work),
        Ok(role) => run_and_hang(Path::new(&role)),
        Err(_) => {}
    }
}

/// `COMMAND [FILE]`. The answer is the number of the process.
#[allow(clippy::print_stdout, reason = "that this breaks the answers is what is tested")]
fn work(request: &[u8]) -> Result<Vec<u8>, terzetto_executor::BoxError> {
    let request = std::str::from_utf8(request)?;
    let (command, file) = request.split_once(' ').unwrap_or((request, ""));
    let pid = std::process::id().to_string();
    match command {
        "hang" => {
            fs::write(file, &pid)?;
            loop {
                std::hint::spin_loop();
            }
        }
        "crash" => std::process::abort(),
        "fail" => return Err("it does not work".into()),
        "panic" => panic!("a defect"),
        "print" => println!("hello"),
        "long" => return Ok(vec![7; 3_000_000]),
        _ => thread::sleep(Duration::from_millis(5)),
    }
    Ok(pid.into_bytes())
}

fn run_and_hang(folder: &Path) {
    let file = folder.join("pid");
    let _ = run(&[format!("hang {}", file.display())], 1, None, Duration::from_secs(60));
}

type Answers = Arc<Mutex<Vec<Vec<u8>>>>;

fn topology(requests: &[String], workers: usize, limit: Duration) -> (Topology, Answers) {
    let mut topology = Topology::new("calls");
    let queue = topology.queue::<String>("requests");
    let items: Vec<_> =
        requests.iter().enumerate().map(|(n, text)| (format!("{n} {text}"), text.clone())).collect();
    topology.source("list", &queue, items);
    let answers = Answers::default();
    let (pool, kept) = (pool(), answers.clone());
    topology.task("call", &queue).max_workers(workers).time_limit(limit).each(
        async move |_, request: String| {
            let answer = pool.call(request.as_bytes()).await?;
            kept.lock().expect("no panic").push(answer);
            Ok(())
        },
    );
    (topology, answers)
}

fn run(
    requests: &[String],
    workers: usize,
    cancel_when_written: Option<&Path>,
    limit: Duration,
) -> Result<(Outcome, Vec<Vec<u8>>), Error> {
    let (topology, answers) = topology(requests, workers, limit);
    let executor = ExecutorAsync::new(topology, Options::new().queue_limit(workers.max(4)))?;
    if let Some(file) = cancel_when_written {
        let (control, file) = (executor.control(), file.to_owned());
        thread::spawn(move || {
            written(&file);
            control.cancel();
        });
    }
    let outcome = terzetto::run(terzetto::fail_after(60.0, executor.run()))?;
    let answers = std::mem::take(&mut *answers.lock().expect("no panic"));
    Ok((outcome, answers))
}

fn words(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

/// The number of the process that writes it into this file.
fn written(file: &Path) -> u32 {
    let start = Instant::now();
    loop {
        if let Some(pid) = fs::read_to_string(file).ok().and_then(|text| text.parse().ok()) {
            return pid;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "no process began");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until no process has this number. It may be a zombie for a moment.
fn assert_gone(pid: u32) {
    let start = Instant::now();
    while Command::new("kill")
        .args(["-0", &pid.to_string()])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|s| s.success())
    {
        assert!(start.elapsed() < Duration::from_secs(20), "process {pid} lives on");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn pool_01_processes_answer_one_request_after_the_other() -> Result<(), Error> {
    let requests = vec!["pid".to_owned(); 30];
    let (outcome, answers) = run(&requests, 3, None, Duration::from_secs(30))?;
    assert_eq!((outcome.done, outcome.failed_count), (30, 0));
    let pids: HashSet<_> = answers.into_iter().map(|pid| String::from_utf8(pid).expect("a number")).collect();
    assert!((1..=3).contains(&pids.len()), "{pids:?}");
    assert!(!pids.contains(&std::process::id().to_string()));
    // Idle ones end with the run.
    pids.iter().for_each(|pid| assert_gone(pid.parse().expect("a number")));
    let (_, answers) = run(&words(&["long"]), 1, None, Duration::from_secs(30))?;
    assert_eq!(answers, [vec![7; 3_000_000]]);
    Ok(())
}

#[test]
fn pool_02_a_call_that_cannot_be_interrupted_is_killed_at_its_time_limit() -> Result<(), Error> {
    let folder = Folder::new();
    let file = folder.join("pid");
    let hang = format!("hang {}", file.display());
    let start = Instant::now();
    let requests = words(&["pid", &hang, "pid", "pid"]);
    let (outcome, _) = run(&requests, 1, None, Duration::from_secs(2))?;
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!((outcome.done, outcome.failed_count), (3, 1));
    assert!(
        outcome.failed[0].1.to_string().contains("longer than its time limit of 2s"),
        "{}",
        outcome.failed[0].1
    );
    assert_gone(written(&file));
    Ok(())
}

#[test]
fn pool_03_a_crash_or_an_error_costs_one_item() -> Result<(), Error> {
    let requests = words(&["pid", "crash", "pid", "fail", "panic", "print", "pid"]);
    let (outcome, answers) = run(&requests, 1, None, Duration::from_secs(30))?;
    assert_eq!((outcome.done, outcome.failed_count), (3, 4));
    for (key, message) in [
        ("1 crash", "the process of the call ended before it answered (signal: 6"),
        ("3 fail", "it does not work"),
        ("4 panic", "panicked: a defect"),
        ("5 print", "wrote something else than an answer"),
    ] {
        let (_, error) = outcome.failed.iter().find(|(failed, _)| failed.as_str() == key).expect(key);
        assert!(error.to_string().contains(message), "{error}");
    }
    // An error is an answer: the process goes on. After a crash, and after what is no answer, there is a new one.
    assert!(answers[0] != answers[1] && answers[1] != answers[2]);
    Ok(())
}

#[test]
fn pool_04_a_cancelled_run_kills_the_calls_that_run() -> Result<(), Error> {
    let folder = Folder::new();
    let file = folder.join("pid");
    let requests = words(&[&format!("hang {}", file.display()), "pid"]);
    let start = Instant::now();
    let (outcome, _) = run(&requests, 1, Some(&file), Duration::from_secs(50))?;
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!((outcome.done, outcome.failed_count), (0, 0));
    assert!(outcome.unfinished.iter().any(|unfinished| unfinished.at == "call"), "{:?}", outcome.unfinished);
    assert_gone(written(&file));
    Ok(())
}

#[test]
fn pool_05_a_program_that_does_not_serve_is_named() -> Result<(), Error> {
    for (program, message) in [
        ("true", "ended before it answered (exit status: 0)"),
        ("/no/such/program", "no process for the call: "),
    ] {
        let pool = ProcessPool::new(move || Command::new(program));
        let mut topology = Topology::new("calls");
        let queue = topology.queue::<()>("requests");
        topology.source("list", &queue, [("one", ())]);
        topology.task("call", &queue).each(async move |_, ()| Ok(pool.call(b"").await.map(drop)?));
        let outcome = execute_within(60.0, topology, Options::new(), On::Threads)?;
        assert_eq!(outcome.failed_count, 1);
        assert!(outcome.failed[0].1.to_string().contains(message), "{}", outcome.failed[0].1);
    }
    Ok(())
}

#[test]
fn pool_06_a_process_ends_in_the_middle_of_a_call_if_its_program_is_killed() {
    let folder = Folder::new();
    let mut program = this_program(&folder.join("").display().to_string())
        .stdout(Stdio::null())
        .spawn()
        .expect("it starts");
    let pid = written(&folder.join("pid"));
    program.kill().expect("it runs");
    program.wait().expect("it ends");
    assert_gone(pid);
}
