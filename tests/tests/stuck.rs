//! Tasks that await futures of other libraries: they are named, and a second Ctrl-C ends the process.

#![allow(clippy::print_stderr, reason = "a process that a test has started tells what it does")]

use futures_util::future::{Either, select};
use signal_hook::consts::SIGINT;
use std::{
    future::pending,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    task::Poll,
    thread,
    time::{Duration, Instant},
};
use terzetto::{
    CancelScope, Error, TaskStatus, cancellable, move_on_after, nursery, sleep, sleep_forever, sync::Event,
    task_tree, testing::wait_all_tasks_blocked,
};
use terzetto_tests::under_thread_sanitizer;

/// What was logged.
static LOG: Log = Log(Mutex::new(String::new()));

struct Log(Mutex<String>);

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut text = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        text.push_str(&record.args().to_string());
        text.push('\n');
        if std::env::var_os(PART).is_some() {
            eprintln!("{}", record.args());
        }
    }

    fn flush(&self) {}
}

fn logged() -> String {
    LOG.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

fn listen() {
    let _other = log::set_logger(&LOG);
    log::set_max_level(log::LevelFilter::Warn);
}

/// Which part a process that a test has started is to play.
const PART: &str = "TERZETTO_TEST_STUCK";

/// A program that does not end by one Ctrl-C.
fn play(part: &str) -> Result<(), Error> {
    match part {
        "main awaits a foreign future" => terzetto::run(async {
            pending::<()>().await;
            Ok(())
        }),
        "a child awaits a foreign future" => terzetto::run(nursery(async |n| {
            n.start_soon_named("deaf", async {
                pending::<()>().await;
                Ok(())
            });
            Ok(())
        })),
        "a child of the body awaits a foreign future" => terzetto::run(nursery(async |n| {
            n.start_soon_named("deaf", async {
                pending::<()>().await;
                Ok(())
            });
            Ok(sleep_forever().await?)
        })),
        "a child that is being started awaits a foreign future" => terzetto::run(nursery(async |n| {
            n.start_named("deaf", async |_: TaskStatus<()>| {
                pending::<()>().await;
                Ok(())
            })
            .await
        })),
        "a child cleans up" => terzetto::run(nursery(async |n| {
            n.start_soon_named("cleans up", async {
                let _cancelled = sleep_forever().await;
                let shield = CancelScope::new().shielded(true);
                shield.run(async { Ok(sleep(0.5).await?) }).await?;
                eprintln!("cleaned up");
                Ok(())
            });
            Ok(())
        })),
        "main computes for ever" => terzetto::run(async {
            eprintln!("begun");
            loop {
                thread::sleep(Duration::from_millis(10));
            }
        }),
        other => panic!("no part is known by the name {other}"),
    }
}

/// Not a test of its own: plays a part in a process that a test has started.
#[test]
fn part() {
    let Ok(part) = std::env::var(PART) else { return };
    listen();
    thread::spawn(|| {
        // What fails must not stay for ever.
        thread::sleep(Duration::from_secs(30));
        std::process::exit(9);
    });
    let outcome = play(&part);
    eprintln!("over: {}", outcome.is_err_and(|error| error.is_interrupted()));
}

/// A process that plays a part, with what it says.
struct Player {
    process: Child,
    said: Arc<Mutex<String>>,
    listens: thread::JoinHandle<()>,
}

impl Player {
    fn start(part: &str) -> Player {
        use std::io::{BufRead, BufReader};
        let mut process = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "part", "--nocapture", "--test-threads=1"])
            .env(PART, part)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let said = Arc::new(Mutex::new(String::new()));
        let (ear, errors) = (said.clone(), process.stderr.take().unwrap());
        let listens = thread::spawn(move || {
            for line in BufReader::new(errors).lines().map_while(Result::ok) {
                *ear.lock().unwrap() += &(line + "\n");
            }
        });
        // It has come so far when its handler is there.
        let status = format!("/proc/{}/status", process.id());
        wait_until(|| {
            let text = std::fs::read_to_string(&status).unwrap_or_default();
            let caught = text.lines().find_map(|line| line.strip_prefix("SigCgt:"));
            caught.is_some_and(|set| u64::from_str_radix(set.trim(), 16).unwrap_or(0) & 2 != 0)
        });
        thread::sleep(Duration::from_millis(50));
        Player { process, said, listens }
    }

    fn interrupt(&self) {
        let id = rustix::process::Pid::from_raw(self.process.id() as i32).unwrap();
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    }

    fn wait_for(&self, words: &str) {
        wait_until(|| self.said.lock().unwrap().contains(words));
    }

    fn end(mut self) -> (ExitStatus, String) {
        let status = self.process.wait().unwrap();
        // To the last line.
        self.listens.join().unwrap();
        (status, self.said.lock().unwrap().clone())
    }
}

fn wait_until(so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "it never came to that");
        thread::sleep(Duration::from_millis(5));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn sig_04_a_second_ctrl_c_ends_a_process_that_the_first_cannot_end() {
    if under_thread_sanitizer() {
        return;
    }
    for (part, task) in [
        ("main awaits a foreign future", "task main"),
        ("a child awaits a foreign future", "task deaf"),
        ("a child of the body awaits a foreign future", "task deaf"),
        ("a child that is being started awaits a foreign future", "task deaf"),
    ] {
        let player = Player::start(part);
        player.interrupt();
        player.wait_for("another Ctrl-C ends the process");
        player.wait_for(task);
        player.interrupt();
        let (status, said) = player.end();
        assert_eq!(status.signal(), Some(SIGINT), "{part}: {said}");
        assert!(said.contains("cancellable"), "{said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn sig_04_a_second_ctrl_c_ends_a_process_whose_loop_does_not_look() {
    if under_thread_sanitizer() {
        return;
    }
    let mut player = Player::start("main computes for ever");
    player.wait_for("begun");
    player.interrupt();
    thread::sleep(Duration::from_millis(100));
    player.interrupt();
    thread::sleep(Duration::from_millis(1_000));
    assert!(player.process.try_wait().unwrap().is_none(), "two that follow each other closely count as one");
    player.interrupt();
    let (status, said) = player.end();
    assert_eq!(status.signal(), Some(SIGINT), "{said}");
}

#[cfg(target_os = "linux")]
#[test]
fn sig_04_a_second_ctrl_c_leaves_those_alone_who_clean_up() {
    if under_thread_sanitizer() {
        return;
    }
    let player = Player::start("a child cleans up");
    player.interrupt();
    thread::sleep(Duration::from_millis(150));
    player.interrupt();
    let (status, said) = player.end();
    assert!(status.success(), "{status}: {said}");
    assert!(said.contains("cleaned up") && said.contains("over: true"), "{said}");
}

#[test]
fn a_task_that_outlasts_its_cancellation_is_named_once() {
    listen();
    terzetto::run(async {
        let gate = Arc::new(AtomicBool::new(false));
        let outcome = move_on_after(
            0.01,
            nursery(async |n| {
                n.start_soon_named("deaf", async {
                    // A foreign future that ends after a while, and is woken by nobody of this runtime.
                    let mut waiting = false;
                    std::future::poll_fn(|cx| {
                        if gate.load(SeqCst) {
                            return Poll::Ready(());
                        }
                        if !std::mem::replace(&mut waiting, true) {
                            let (waker, gate) = (cx.waker().clone(), gate.clone());
                            thread::spawn(move || {
                                thread::sleep(Duration::from_millis(3_600));
                                gate.store(true, SeqCst);
                                waker.wake();
                            });
                        }
                        Poll::Pending
                    })
                    .await;
                    Ok(())
                });
                // It listens, and is not to be named.
                n.start_soon_named("busy", async {
                    let _cancelled = sleep_forever().await;
                    let shield = CancelScope::new().shielded(true);
                    shield.run(async { Ok(sleep(3.5).await?) }).await.map(drop)
                });
                Ok(())
            }),
        );
        assert_eq!(outcome.await?, Some(()), "all have ended well");
        Ok(())
    })
    .unwrap();
    let text = logged();
    let lines: Vec<_> = text.lines().filter(|line| line.contains("was cancelled")).collect();
    assert_eq!(lines.len(), 1, "{text}");
    for part in ["task deaf", "deadline", "cancellable"] {
        assert!(lines[0].contains(part), "{part} in {text}");
    }
}

#[test]
fn the_tree_says_of_a_task_that_it_awaits_a_foreign_future() {
    terzetto::run(async {
        let event = Event::new();
        let tasks = nursery(async |n| {
            n.start_soon_named("deaf", async {
                pending::<()>().await;
                Ok(())
            });
            n.start_soon_named("deaf in a body", async {
                nursery(async |_n| {
                    pending::<()>().await;
                    Ok(())
                })
                .await
            });
            n.start_soon_named("hears", async { Ok(cancellable(pending::<()>()).await?) });
            n.start_soon_named("parent", async {
                nursery(async |n| {
                    n.start_soon_named("waits", async { Ok(event.wait().await?) });
                    Ok(())
                })
                .await
            });
            Ok(())
        });
        let look = async {
            wait_all_tasks_blocked(0.0).await.unwrap();
            task_tree()
        };
        // What is deaf can only be dropped.
        let Either::Right((tree, _tasks)) = select(Box::pin(tasks), Box::pin(look)).await else {
            panic!("a nursery with a deaf task does not end")
        };
        for line in tree.lines() {
            let is_deaf = line.trim_start().starts_with("deaf");
            assert_eq!(line.contains("awaiting a foreign future; cannot be cancelled"), is_deaf, "{tree}");
        }
        assert_eq!(tree.matches("cannot be cancelled").count(), 2, "{tree}");
        assert!(tree.contains("waiting for a foreign future"), "{tree}");
        Ok(())
    })
    .unwrap();
}
