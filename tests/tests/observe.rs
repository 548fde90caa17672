//! Seeing what a run does: snapshots, recordings, the watchdog.

use serde_json::Value;
use std::{
    collections::HashSet,
    fs,
    io::Read,
    os::unix::net::{UnixListener, UnixStream},
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{Mutex, PoisonError},
    thread,
    time::Duration,
};
use terzetto::{
    Builder, CancelScope, Deadlock, Error, channel, checkpoint, move_on_after, nursery,
    observe::{Recorder, TraceTime, snapshot, work_span},
    signal::Signal,
    sleep, sleep_forever,
    sync::{Event, Lock},
    testing::{MockClock, wait_all_tasks_blocked},
    to_thread,
};

fn mocked() -> Builder {
    Builder::new().clock(MockClock::autojump())
}

fn parse(json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn tasks(snapshot: &Value) -> &Vec<Value> {
    snapshot["tasks"].as_array().unwrap()
}

fn named<'a>(snapshot: &'a Value, name: &str) -> &'a Value {
    tasks(snapshot)
        .iter()
        .find(|task| task["name"] == name)
        .unwrap_or_else(|| panic!("{name} in {snapshot:#}"))
}

/// The keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn see_05_a_snapshot_has_what_its_schema_says() {
    mocked()
        .run(async {
            let (lock, event) = (Lock::new(), Event::new());
            move_on_after(
                10.0,
                nursery(async |n| {
                    n.start_soon_named("owner", async {
                        let _held = lock.acquire().await?;
                        Ok(sleep(3.0).await?)
                    });
                    // The owner comes first in any order of the batch.
                    wait_all_tasks_blocked(0.0).await?;
                    n.start_soon_named("waiter \"x\"\n", async {
                        let scope = CancelScope::new().shielded(true);
                        scope.run(async { Ok(lock.acquire().await.map(drop)?) }).await.map(drop)
                    });
                    n.start_soon_named("parent", async {
                        nursery(async |n| {
                            n.start_soon_named("child", async { Ok(event.wait().await?) });
                            Ok(())
                        })
                        .await
                    });
                    wait_all_tasks_blocked(0.0).await?;
                    let json = parse(&snapshot());
                    assert_eq!(
                        keys(&json),
                        ["cycles", "next_deadline_in", "outside", "schema", "tasks", "tick", "time", "took"]
                    );
                    assert_eq!(json["schema"], "terzetto-snapshot-1");
                    assert_eq!(json["next_deadline_in"], 3);
                    assert_eq!(tasks(&json).len(), 5);
                    let (main, owner) = (named(&json, "main"), named(&json, "owner"));
                    assert_eq!((&main["state"], &main["parent"]), (&"running".into(), &Value::Null));
                    assert_eq!(main["scopes"][0]["deadline_in"], 10);
                    assert_eq!((&owner["parent"], &owner["state"]), (&main["id"], &"blocked".into()));
                    assert!(owner["started_at"]["file"].as_str().unwrap().ends_with("observe.rs"));
                    let wait = &owner["waits"][0];
                    assert_eq!((&wait["what"], &wait["ended_by"]), (&"sleeping".into(), &"time".into()));
                    assert_eq!((&wait["ends_in"], &wait["deadline_in"]), (&3.into(), &10.into()));
                    let waiter = named(&json, "waiter \"x\"\n");
                    assert_eq!(waiter["waits"][0]["holders"], Value::from(vec![owner["id"].clone()]));
                    assert_eq!(waiter["waits"][0]["deadline_in"], Value::Null, "it is shielded");
                    assert_eq!(waiter["scopes"][0]["shielded"], true);
                    let (parent, child) = (named(&json, "parent"), named(&json, "child"));
                    assert_eq!(parent["state"], "end-of-nursery");
                    assert_eq!(parent["waits"][0]["holders"], Value::from(vec![child["id"].clone()]));
                    assert_eq!(child["parent"], parent["id"]);
                    assert_ne!(child["nursery"], parent["nursery"]);
                    assert_eq!(parent["nursery"], owner["nursery"]);
                    for task in tasks(&json) {
                        assert_eq!(
                            keys(task),
                            [
                                "age",
                                "busy",
                                "futurelocked",
                                "id",
                                "name",
                                "nursery",
                                "parent",
                                "scopes",
                                "started_at",
                                "state",
                                "steps",
                                "stuck",
                                "waits"
                            ]
                        );
                        assert_eq!(task["steps"], Value::Null, "nothing is measured");
                        for wait in task["waits"].as_array().unwrap() {
                            assert_eq!(
                                keys(wait),
                                [
                                    "deadline_in",
                                    "details",
                                    "ended_by",
                                    "ends_in",
                                    "holders",
                                    "shielded_from",
                                    "stage",
                                    "what"
                                ]
                            );
                        }
                        for scope in task["scopes"].as_array().unwrap() {
                            assert_eq!(keys(scope), ["cancelled", "deadline_in", "reason", "shielded"]);
                        }
                    }
                    event.set();
                    Ok(())
                }),
            )
            .await?;
            Ok(())
        })
        .unwrap();
}

#[test]
fn see_05_measured_tasks_have_ages_steps_and_times() {
    mocked()
        .measure_tasks(true)
        .run(nursery(async |n| {
            n.start_soon_named("busy", async {
                for _ in 0..4 {
                    thread::sleep(Duration::from_millis(10));
                    checkpoint().await?;
                }
                Ok(sleep(1.0).await?)
            });
            n.start_soon_named("idle", async { Ok(sleep(1.0).await?) });
            sleep(0.5).await?;
            let json = parse(&snapshot());
            let number = |name: &str, field: &str| named(&json, name)[field].as_f64().unwrap();
            assert_eq!((number("busy", "steps"), number("idle", "steps")), (5.0, 1.0));
            assert!(number("busy", "busy") >= 0.04, "{json:#}");
            assert!(number("idle", "busy") < 0.03, "{json:#}");
            assert!(number("main", "busy") < 0.03, "steps of children inside do not count: {json:#}");
            assert!(number("busy", "age") >= number("busy", "busy"));
            Ok(())
        }))
        .unwrap();
}

/// Reads a snapshot from a socket, in a thread.
async fn ask(path: &std::path::Path) -> Result<Value, Error> {
    let path = path.to_owned();
    let read = move || {
        let mut json = String::new();
        UnixStream::connect(path)?.read_to_string(&mut json).map(|_| json)
    };
    Ok(parse(&to_thread::run_sync(read).await??))
}

#[test]
fn see_06_a_socket_gives_snapshots_to_who_connects() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks");
    // A process that has ended has left its socket there.
    drop(UnixListener::bind(&path).unwrap());
    Builder::new()
        .task_socket(&path)
        .unwrap()
        .run(nursery(async |n| {
            n.start_soon_named("sleeper", async { Ok(sleep_forever().await?) });
            for _ in 0..3 {
                let json = ask(&path).await?;
                assert_eq!(named(&json, "sleeper")["state"], "blocked");
                assert_eq!(named(&json, "main")["waits"][0]["ended_by"], "thread");
            }
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
            // Somebody who listens there is left alone.
            let error = Builder::new().task_socket(&path).err().unwrap().to_string();
            assert!(error.contains(path.to_str().unwrap()), "{error}");
            n.cancel_scope().cancel();
            Ok(())
        }))
        .unwrap();
    assert!(!path.exists());
}

#[test]
fn see_06_a_loop_that_does_not_answer_is_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks");
    let asked = path.clone();
    let client = thread::spawn(move || {
        thread::sleep(Duration::from_millis(200));
        let mut json = String::new();
        UnixStream::connect(asked).unwrap().read_to_string(&mut json).unwrap();
        json
    });
    Builder::new()
        .task_socket(&path)
        .unwrap()
        .run(async {
            thread::sleep(Duration::from_millis(2_600));
            Ok(())
        })
        .unwrap();
    let json = parse(&client.join().unwrap());
    assert!(json["error"].as_str().unwrap().contains("has not answered for 2 s"), "{json}");
}

#[test]
fn see_06_a_socket_does_not_hide_a_deadlock() {
    let folder = tempfile::tempdir().unwrap();
    let builder = mocked().task_socket(folder.path().join("tasks")).unwrap();
    let error = builder.run(async { Ok(sleep_forever().await?) }).unwrap_err();
    assert!(error.downcast_ref::<Deadlock>().is_some());
}

/// What was logged.
static LOG: Log = Log(Mutex::new(Vec::new()));

struct Log(Mutex<Vec<String>>);

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(record.args().to_string());
    }

    fn flush(&self) {}
}

fn listen() {
    let _other = log::set_logger(&LOG);
    log::set_max_level(log::LevelFilter::Warn);
}

/// The logged lines that have all these words.
fn logged(words: &[&str]) -> Vec<String> {
    let lines = LOG.0.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().filter(|line| words.iter().all(|word| line.contains(word))).cloned().collect()
}

/// The names of files in a folder, without the parts that differ from run to run.
fn dumped(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            name.splitn(4, '-').nth(3).unwrap().to_owned()
        })
        .collect();
    names.sort_unstable();
    names
}

#[test]
fn see_07_sigusr1_writes_the_tree_the_report_a_snapshot_and_a_trace() {
    listen();
    let folder = tempfile::tempdir().unwrap();
    Builder::new()
        .dump_on_sigusr1(true)
        .record(Recorder::last(1_000))
        .dump_into(folder.path())
        .unwrap()
        .run(nursery(async |n| {
            n.start_soon_named("sees the signal", async { Ok(sleep_forever().await?) });
            sleep(0.01).await?;
            signal_hook::low_level::raise(Signal::USR1.number())?;
            sleep(0.05).await?;
            n.cancel_scope().cancel();
            Ok(())
        }))
        .unwrap();
    let lines = logged(&["task sees the signal (tests/", "each of the others may still be woken"]);
    assert_eq!(lines.len(), 1);
    assert_eq!(dumped(folder.path()), ["0-signal-snapshot.json", "0-signal-trace.json"]);
    for entry in fs::read_dir(folder.path()).unwrap() {
        let json = fs::read_to_string(entry.unwrap().path()).unwrap();
        parse(&json);
        assert!(json.contains("sees the signal"), "{json}");
    }
}

#[test]
fn see_10_a_deadlock_and_a_panic_dump_what_was_recorded() {
    listen();
    let folder = tempfile::tempdir().unwrap();
    let dumping = || mocked().record(Recorder::last(50)).dump_into(folder.path().join("new/folder")).unwrap();
    let _deadlock = dumping().run(async { Ok(sleep_forever().await?) }).unwrap_err();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        dumping().run(nursery(async |n| {
            n.start_soon_named("panics", async {
                for _ in 0..100 {
                    checkpoint().await?;
                }
                panic!("on purpose")
            });
            Ok(())
        }))
    }));
    assert!(panicked.is_err());
    let names = dumped(&folder.path().join("new/folder"));
    assert_eq!(names, ["0-deadlock-snapshot.json", "0-deadlock-trace.json", "0-panic-trace.json"]);
    assert_eq!(logged(&["what the run was doing is in", "panic-trace.json"]).len(), 1);
    let error = mocked().dump_into("/dev/null/x").err().unwrap().to_string();
    assert!(error.contains("/dev/null/x"), "{error}");
}

#[test]
fn see_10_a_flight_recorder_keeps_the_last_events_only() {
    let recorder = Recorder::last(100);
    mocked()
        .record(recorder.clone())
        .run(nursery(async |n| {
            for _ in 0..50 {
                n.start_soon_named("early", async { Ok(()) });
            }
            checkpoint().await?;
            for _ in 0..1_000 {
                checkpoint().await?;
            }
            Ok(())
        }))
        .unwrap();
    assert_eq!(recorder.len(), 100);
    let trace = recorder.timeline().trace_json(TraceTime::Logical);
    assert!(trace.contains("main") && !trace.contains("early"), "{trace}");
    recorder.clear();
    assert!(recorder.is_empty());
    assert_eq!(recorder.timeline().steps(), 0);
    assert!(recorder.timeline().svg().ends_with("</svg>\n"));
}

/// A short program with a bit of everything.
fn recorded() -> Rc<Recorder> {
    let recorder = Recorder::new();
    mocked()
        .record(recorder.clone())
        .run(async {
            let (sender, receiver) = channel::<u32>(1);
            nursery(async |n| {
                n.start_soon_named("producer", async move {
                    for i in 0..4 {
                        sender.send(i).await?;
                    }
                    Ok(sleep(2.0).await?)
                });
                n.start_soon_named("consumer", async move {
                    while receiver.next().await?.is_some() {
                        sleep(0.5).await?;
                    }
                    Ok(())
                });
                n.start_soon_named("with a limit", async {
                    move_on_after(
                        1.0,
                        nursery(async |n| {
                            n.start_soon_named("first <&>", async { Ok(sleep_forever().await?) });
                            n.start_soon_named("second", async { Ok(sleep_forever().await?) });
                            Ok(())
                        }),
                    )
                    .await
                    .map(drop)
                });
                Ok(())
            })
            .await
        })
        .unwrap();
    recorder
}

#[test]
fn see_08_a_trace_has_a_track_for_each_task_with_steps_waits_wakes_and_cancellations() {
    let trace = parse(&recorded().timeline().trace_json(TraceTime::Real));
    let events = trace["traceEvents"].as_array().unwrap();
    let all = |ph: &'static str| events.iter().filter(move |event| event["ph"] == ph);
    let names: Vec<&str> = all("M")
        .filter(|event| event["name"] == "thread_name")
        .map(|event| event["args"]["name"].as_str().unwrap())
        .collect();
    // Nested as nurseries are.
    assert_eq!(names, ["main", "  producer", "  consumer", "  with a limit", "    first <&>", "    second"]);
    let waits: HashSet<&str> =
        all("X").filter(|e| e["cat"] == "wait").map(|e| e["name"].as_str().unwrap()).collect();
    let expected = ["sleeping", "sending to a channel", "receiving from a channel"];
    assert!(expected.iter().all(|what| waits.contains(what)), "{waits:?}");
    // Each arrow has a beginning and an end, and goes forward.
    let (begins, ends): (Vec<_>, Vec<_>) = (all("s").collect(), all("f").collect());
    assert!(begins.len() >= 6, "{}", begins.len());
    for (begin, end) in begins.iter().zip(&ends) {
        assert_eq!(begin["id"], end["id"]);
        assert!(begin["ts"].as_f64() <= end["ts"].as_f64());
    }
    assert_eq!(begins.len(), ends.len());
    let cancelled: Vec<_> = all("i").map(|event| event["args"]["reason"].as_str().unwrap()).collect();
    assert_eq!(cancelled, ["cancelled by a deadline"; 2]);
    // Steps and waits of one task follow each other, and nothing lasts less than nothing.
    for id in all("M").map(|event| &event["tid"]) {
        let mut spans: Vec<(f64, f64)> = all("X")
            .filter(|event| &event["tid"] == id)
            .map(|event| (event["ts"].as_f64().unwrap(), event["dur"].as_f64().unwrap()))
            .collect();
        spans.sort_by(|a, b| a.partial_cmp(b).unwrap());
        assert!(spans.iter().all(|(_, length)| *length >= 0.0));
        for pair in spans.windows(2) {
            assert!(pair[0].0 + pair[0].1 <= pair[1].0 + 0.002, "{pair:?}");
        }
    }
}

#[test]
fn see_09_pictures_are_the_same_each_time_and_need_nothing_else() {
    let (one, other) = (recorded().timeline(), recorded().timeline());
    assert_eq!(one.svg(), other.svg());
    assert_eq!(one.html("a run"), other.html("a run"));
    assert_eq!(one.trace_json(TraceTime::Logical), other.trace_json(TraceTime::Logical));
    let svg = one.svg();
    assert!(svg.len() < 30_000, "{}", svg.len());
    assert!(svg.contains("prefers-color-scheme:dark") && svg.contains("first &lt;&amp;&gt;"), "{svg}");
    assert!(svg.contains("producer wakes consumer"), "{svg}");
    assert_eq!(
        svg.matches("class=\"r\"").count(),
        one.steps() + 1,
        "a block for each step, and the legend's"
    );
    for text in [&svg, &one.html("a <run>")] {
        // The only address is the name of the format.
        assert_eq!(text.matches("http").count(), 1);
        assert!(!text.contains("<script") && !text.contains("NaN") && !text.contains("inf"));
    }
    assert!(one.html("a <run>").contains("<h1>a &lt;run&gt;</h1>"));
    if let Some(folder) = std::env::var_os("TERZETTO_TEST_PICTURES") {
        let folder = std::path::PathBuf::from(folder);
        fs::write(folder.join("timeline.svg"), svg).unwrap();
        fs::write(folder.join("timeline.html"), one.html("A short run")).unwrap();
        fs::write(folder.join("timeline.json"), one.trace_json(TraceTime::Logical)).unwrap();
    }
}

#[test]
fn see_11_a_step_over_the_limit_is_named_while_it_runs_and_when_it_is_done() {
    listen();
    mocked()
        .watchdog(0.05)
        .run(nursery(async |n| {
            n.start_soon_named("hogs the loop", async {
                checkpoint().await?;
                thread::sleep(Duration::from_millis(400));
                // It was named before it came back to the loop.
                let lines = logged(&["task hogs the loop (tests/", "and still does"]);
                assert_eq!(lines.len(), 1, "{lines:?}");
                Ok(())
            });
            n.start_soon_named("is quick", async {
                for _ in 0..20 {
                    thread::sleep(Duration::from_millis(5));
                    checkpoint().await?;
                }
                Ok(())
            });
            Ok(())
        }))
        .unwrap();
    let lines = logged(&["task hogs the loop", "s without a checkpoint"]);
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[1].contains("has run for 0.4"), "{lines:?}");
    assert!(logged(&["is quick"]).is_empty());
    assert!(logged(&["task main", "without a checkpoint"]).is_empty());
}

/// Computes for so long. It must have a frame of its own.
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(never)]
fn computes_a_sum(time: Duration) -> u64 {
    let (begun, mut sum) = (std::time::Instant::now(), 0_u64);
    while begun.elapsed() < time {
        // Most samples meet the allocator.
        sum = sum.wrapping_add(std::hint::black_box(vec![1_u64; 100]).len() as u64);
    }
    sum
}

#[test]
#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
fn see_14_the_native_stack_of_a_step_over_the_limit_is_shown_while_it_runs() {
    listen();
    mocked()
        .watchdog_stacks(true)
        .watchdog(0.05)
        .run(nursery(async |n| {
            n.start_soon_named("adds up", async {
                checkpoint().await?;
                // The first time, reading the program's debug information may take a while.
                for _ in 0..200 {
                    computes_a_sum(Duration::from_millis(100));
                    if !logged(&["where task adds up ("]).is_empty() {
                        break;
                    }
                }
                Ok(())
            });
            Ok(())
        }))
        .unwrap();
    let stacks = logged(&["where task adds up ("]);
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    let calls: Vec<&str> = stacks[0].lines().skip(1).map(str::trim).collect();
    let place = |name: &str| calls.iter().position(|call| call.contains(name));
    // The task's own future. With debug information its name is short, and its place is told.
    let future = place("see_14_the_native_stack").or_else(|| place("async_block"));
    let (inner, outer) = (place("computes_a_sum"), future);
    assert!(inner.is_some() && inner < outer, "{}", stacks[0]);
    // What is around all tasks of a run is left out.
    assert_eq!(place("run_loop"), None, "{}", stacks[0]);
}

#[test]
fn see_14_a_watchdog_shows_no_stack_if_it_was_not_asked_to() {
    listen();
    mocked()
        .watchdog(0.05)
        .run(nursery(async |n| {
            n.start_soon_named("keeps still", async {
                thread::sleep(Duration::from_millis(200));
                Ok(())
            });
            Ok(())
        }))
        .unwrap();
    assert!(!logged(&["task keeps still", "and still does"]).is_empty());
    assert!(logged(&["where task keeps still"]).is_empty());
}

#[test]
fn see_15_a_trace_has_a_track_for_each_worker_thread_with_its_jobs() {
    let recorder = Recorder::new();
    Builder::new()
        .record(recorder.clone())
        .run(nursery(async |n| {
            for name in ["asks first", "asks too"] {
                n.start_soon_named(name, async move {
                    let job = || {
                        let _part = work_span("a part of it");
                        thread::sleep(Duration::from_millis(30));
                    };
                    to_thread::options().name("slow job").run_sync(job).await
                });
            }
            Ok(())
        }))
        .unwrap();
    // In other threads it does nothing.
    drop(work_span("nowhere"));
    let timeline = recorder.timeline();
    let trace = parse(&timeline.trace_json(TraceTime::Real));
    let events: Vec<&Value> =
        trace["traceEvents"].as_array().unwrap().iter().filter(|event| event["pid"] == 2).collect();
    let tracks = events.iter().filter(|event| event["name"] == "thread_name");
    let tracks: Vec<&str> = tracks.map(|event| event["args"]["name"].as_str().unwrap()).collect();
    assert_eq!(tracks, ["worker 1", "worker 2"]);
    let of = |name: &str| -> Vec<(u64, f64, f64, String)> {
        let spans = events.iter().filter(|event| event["ph"] == "X" && event["name"] == name);
        spans
            .map(|event| {
                let number = |key: &str| event[key].as_f64().unwrap();
                let task = event["args"]["task"].as_str().unwrap().to_owned();
                (event["tid"].as_u64().unwrap(), number("ts"), number("dur"), task)
            })
            .collect()
    };
    let (jobs, parts) = (of("slow job"), of("a part of it"));
    assert_eq!((jobs.len(), parts.len(), of("nowhere").len()), (2, 2, 0));
    for (thread, from, length, task) in jobs {
        assert!(length >= 30_000.0 && task.starts_with("asks "), "{length} {task}");
        let part = parts.iter().find(|part| part.0 == thread).unwrap();
        assert!(part.1 >= from && part.1 + part.2 <= from + length + 0.01, "a part is inside of its job");
    }
    // Logical time, which is the same each time, has no threads.
    assert!(!timeline.trace_json(TraceTime::Logical).contains("slow job"));
    recorder.clear();
    assert!(!recorder.timeline().trace_json(TraceTime::Real).contains("slow job"));
}
