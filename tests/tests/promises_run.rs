//! Promises that the documentation makes of runs, errors and the tree of tasks.

use signal_hook::{consts::SIGUSR1, low_level};
use std::{
    cell::{Cell, RefCell},
    os::unix::process::ExitStatusExt,
    panic::{AssertUnwindSafe, catch_unwind},
    process,
    rc::Rc,
    sync::Mutex,
};
use terzetto::{
    BodyCancelled, Builder, CancelScope, Error, ErrorGroup, InternalError, Task, checkpoint, current_time,
    fail_after,
    lowlevel::{Instrument, Token, current_statistics, main_task, spawn_system_task},
    move_on_after, nursery,
    signal::{Signal, open_signal_receiver},
    sleep, sleep_forever, task_tree,
    testing::{MockClock, wait_all_tasks_blocked},
};
use terzetto_tests::{Trace, run_mock};

#[test]
fn run_06_a_line_of_equal_tasks_has_the_deadline_of_the_oldest() {
    run_mock(async {
        nursery(async |n| {
            for deadline in [700.0, 500.0, 900.0] {
                n.start_soon_named("waits", async move {
                    move_on_after(deadline, async { Ok(sleep_forever().await?) }).await.map(drop)
                });
                wait_all_tasks_blocked(0.0).await?;
            }
            let tree = task_tree();
            let lines: Vec<&str> = tree.lines().filter(|line| line.contains("waits")).collect();
            assert!(lines.len() == 1 && lines[0].contains("700") && lines[0].ends_with("×3"), "{tree}");
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

/// What was logged, with the level.
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Capture;

impl log::Log for Capture {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }
    fn log(&self, record: &log::Record<'_>) {
        LOGGED.lock().unwrap().push(format!("{} {}", record.level(), record.args()));
    }
    fn flush(&self) {}
}

/// One of this file's tests, to be run again in a process of its own.
fn in_a_process_of_its_own(test: &str) -> process::Command {
    let mut command = process::Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command
}

/// The order in which the tasks of one batch run.
fn order(builder: Builder) -> Vec<u32> {
    let order = RefCell::new(Vec::new());
    builder
        .clock(MockClock::autojump())
        .run(nursery(async |n| {
            for i in 0..20 {
                let order = &order;
                n.start_soon(async move {
                    order.borrow_mut().push(i);
                    Ok(())
                });
            }
            Ok(())
        }))
        .unwrap();
    order.into_inner()
}

#[test]
fn sched_03_the_environment_gives_a_seed_to_runs_that_have_none() {
    const TEST: &str = "sched_03_the_environment_gives_a_seed_to_runs_that_have_none";
    const CHILD: &str = "TERZETTO_TEST_SEED";
    if let Ok(seed) = std::env::var(CHILD) {
        let _ = log::set_logger(&Capture);
        log::set_max_level(log::LevelFilter::Info);
        let found = order(Builder::new());
        match seed.as_str() {
            "none" => assert_eq!(found, (0..20).collect::<Vec<_>>(), "the order of the wakes"),
            "random" => {
                let again: Vec<_> = (0..3).map(|_| order(Builder::new())).collect();
                assert!(again.iter().any(|order| *order != found), "four equal orders");
            }
            seed => {
                let logged = LOGGED.lock().unwrap().clone();
                assert!(
                    logged.iter().any(|line| line.starts_with("INFO") && line.contains(seed)),
                    "{logged:?}"
                );
                assert_eq!(found, order(Builder::new().seed(seed.parse().unwrap())));
                // A seed of its own is stronger.
                assert_ne!(found, order(Builder::new().seed(12)));
            }
        }
        return;
    }
    for seed in ["none", "random", "1234567"] {
        let mut child = in_a_process_of_its_own(TEST);
        child.env(CHILD, seed).env_remove("TERZETTO_SEED");
        if seed != "none" {
            child.env("TERZETTO_SEED", seed);
        }
        let output = child.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{seed}: {text}");
    }
}

#[test]
fn the_tree_is_dumped_on_sigusr1_only_if_that_was_asked_for_and_nobody_receives_the_signal() {
    const TEST: &str =
        "the_tree_is_dumped_on_sigusr1_only_if_that_was_asked_for_and_nobody_receives_the_signal";
    const CHILD: &str = "TERZETTO_TEST_SIGUSR1";
    let Ok(dumps) = std::env::var(CHILD) else {
        let of_child = |dumps| in_a_process_of_its_own(TEST).env(CHILD, dumps).output().unwrap();
        let output = of_child("yes");
        let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
        // By default the signal does what it does.
        assert_eq!(of_child("no").status.signal(), Some(SIGUSR1));
        return;
    };
    let _ = log::set_logger(&Capture);
    log::set_max_level(log::LevelFilter::Warn);
    let dumped = || LOGGED.lock().unwrap().iter().filter(|line| line.starts_with("WARN")).count();
    let builder = if dumps == "yes" { Builder::new().dump_on_sigusr1(true) } else { Builder::new() };
    builder
        .run(async {
            if dumps == "yes" {
                let signals = open_signal_receiver(&[Signal::from_raw(SIGUSR1)])?;
                low_level::raise(SIGUSR1)?;
                fail_after(10.0, async { Ok(signals.receive().await?) }).await?;
                sleep(0.01).await?;
                assert_eq!(dumped(), 0);
                drop(signals);
            }
            low_level::raise(SIGUSR1)?;
            sleep(0.01).await?;
            assert_eq!(dumped(), 1);
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_handle_to_a_run_is_harmless_for_ever() {
    let token = run_mock(async { Ok(Token::current()) }).unwrap();
    let other = run_mock(async { Ok((Token::current(), Token::current(), main_task())) }).unwrap();
    assert!(token != other.0 && other.0 == other.1);
    // Also on a thread that has had no run.
    let clone = token.clone();
    std::thread::spawn(move || assert!(clone.run_sync_soon(|| ()).is_err())).join().unwrap();
}

#[test]
fn a_group_of_several_comes_back_from_into_single_as_it_was() {
    let one = |text: &str| Error::msg(text.to_owned());
    let several = ErrorGroup::new("several", vec![one("a"), one("b")]);
    let text = several.to_string();
    let back = several.into_single().unwrap_err();
    assert_eq!((back.to_string(), back.message(), back.errors().len()), (text.clone(), "several", 2));
    // The only member of a group may be a group of several.
    assert_eq!(ErrorGroup::new("outer", vec![back.into()]).into_single().unwrap().to_string(), text);
    let inner = ErrorGroup::new("inner", vec![one("a")]);
    assert_eq!(ErrorGroup::new("outer", vec![inner.into()]).into_single().unwrap().to_string(), "a");
}

#[test]
fn a_chain_begins_with_the_error_and_looks_into_io_errors() {
    #[derive(Debug, thiserror::Error)]
    #[error("the disk")]
    struct Disk;
    #[derive(Debug, thiserror::Error)]
    #[error("the file")]
    struct File(#[source] std::io::Error);
    let error = Error::from(File(std::io::Error::other(Disk)));
    let chain: Vec<_> = error.chain().collect();
    assert!(chain.first().unwrap().is::<File>() && chain.last().unwrap().is::<Disk>());
    assert_eq!(chain.iter().filter(|error| error.is::<Disk>()).count(), 1);
}

#[test]
fn scope_15_a_deadline_is_read_only_as_it_was_given_until_the_scope_is_entered() {
    run_mock(async {
        let panics = |read: &dyn Fn() -> f64| catch_unwind(AssertUnwindSafe(read)).is_err();
        let (relative, absolute) = (CancelScope::with_timeout(2.0), CancelScope::with_deadline(2.0));
        assert!(panics(&|| relative.deadline()) && panics(&|| absolute.relative_deadline()));
        assert_eq!((relative.relative_deadline(), absolute.deadline()), (2.0, 2.0));
        for scope in [relative, absolute] {
            let own = scope.clone();
            scope
                .run(async {
                    sleep(1.0).await?;
                    assert_eq!(own.deadline() - current_time(), own.relative_deadline());
                    Ok(())
                })
                .await?;
        }
        let none = CancelScope::new();
        assert_eq!((none.deadline(), none.relative_deadline()), (f64::INFINITY, f64::INFINITY));
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_12_a_cancelled_body_without_a_value_is_an_error_unless_it_returns_nothing() {
    let cut_short = run_mock(nursery(async |n| {
        n.cancel_scope().cancel();
        sleep_forever().await?;
        Ok(7)
    }));
    assert!(cut_short.unwrap_err().find::<BodyCancelled>().is_some());
    run_mock(nursery(async |n| {
        n.cancel_scope().cancel();
        Ok(sleep_forever().await?)
    }))
    .unwrap();
    // A scope inside, as the documentation advises.
    let value = run_mock(nursery(async |_| {
        let inside = CancelScope::new();
        inside.cancel();
        inside.run(async { sleep_forever().await.map(|()| 7).map_err(Error::from) }).await
    }));
    assert_eq!(value.unwrap(), None);
}

#[test]
fn sys_02_the_other_system_tasks_are_cancelled_before_main_and_the_cause_is_in_one_group() {
    let trace = Rc::new(Trace::default());
    let error = run_mock(async {
        let own = trace.clone();
        spawn_system_task("other", async move {
            let cancelled = sleep_forever().await;
            own.note("other");
            CancelScope::new().shielded(true).run(async { Ok(sleep(1.0).await?) }).await?;
            own.note("ended");
            Ok(cancelled?)
        })?;
        spawn_system_task("fails", async {
            sleep(1.0).await?;
            Err(Error::msg("broken"))
        })?;
        let cancelled = sleep_forever().await;
        trace.note("main");
        Ok(cancelled?)
    })
    .unwrap_err();
    assert_eq!(trace.text(), "other ended main");
    let cause = error.downcast_ref::<InternalError>().unwrap().cause().unwrap();
    let members = cause.group().unwrap().errors();
    assert!(members.len() == 1 && members[0].group().is_none(), "{cause:?}");
}

#[test]
fn time_01_infinity_is_for_ever_and_whole_seconds_are_seconds() {
    run_mock(async {
        let waits = move_on_after(1000, async { Ok(sleep(f64::INFINITY).await?) });
        assert!(waits.await?.is_none());
        assert_eq!(current_time(), 1000.0);
        move_on_after(f64::INFINITY, async { Ok(sleep(1000).await?) }).await?.unwrap();
        CancelScope::with_deadline(f64::INFINITY).run(async { Ok(sleep(1000).await?) }).await?.unwrap();
        assert_eq!(current_time(), 3000.0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn stat_01_a_deadline_that_is_overdue_is_negative() {
    let clock = MockClock::autojump();
    let own = clock.clone();
    Builder::new()
        .clock(clock)
        .run(async move {
            let late = CancelScope::with_timeout(1.0).run(async {
                own.jump(3.0);
                assert_eq!(current_statistics().seconds_to_next_deadline, -2.0);
                Ok(checkpoint().await?)
            });
            assert!(late.await?.is_none());
            Ok(())
        })
        .unwrap();
}

#[test]
fn inst_03_the_log_says_that_an_instrument_was_removed() {
    struct Faulty;
    impl Instrument for Faulty {
        fn before_task_step(&self, _task: &Task) {
            panic!("a hook");
        }
    }
    let _ = log::set_logger(&Capture);
    log::set_max_level(log::LevelFilter::Warn);
    Builder::new().instrument(Rc::new(Faulty)).run(async { Ok(checkpoint().await?) }).unwrap();
    let logged = LOGGED.lock().unwrap().clone();
    assert!(logged.iter().any(|line| line.contains("a hook of an instrument panicked")), "{logged:?}");
}

#[test]
fn scope_05_cancellations_come_last_in_a_group() {
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel();
        let cancelled = Cell::new(None);
        scope
            .run(async {
                cancelled.set(checkpoint().await.err());
                Ok(())
            })
            .await?;
        let cancelled = cancelled.take().unwrap();
        let members = vec![cancelled.clone().into(), Error::msg("a"), cancelled.into(), Error::msg("b")];
        let group = ErrorGroup::new("mixed", members);
        let first: Vec<String> = group.leaves().take(2).map(ToString::to_string).collect();
        assert_eq!((first, group.leaves().count()), (vec!["a".to_owned(), "b".to_owned()], 4));
        assert!(group.errors()[2..].iter().all(Error::is_cancelled));
        let error = Error::from(group);
        assert!(!error.is_cancelled() && error.cancelled().is_some());
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_05_a_group_without_errors_is_a_failure_that_no_scope_swallows() {
    let empty = || Error::from(ErrorGroup::new("no reason", Vec::new()));
    assert!(!empty().is_cancelled());
    let (cancelled, rest) = empty().split_cancelled();
    assert!(cancelled.is_none() && rest.is_some());
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel();
        assert_eq!(
            scope.run(async { Err::<(), _>(empty()) }).await.unwrap_err().to_string(),
            "no reason (0 errors)"
        );
        assert!(!scope.cancelled_caught());
        // The failure cancels its nursery, which does not take it for that cancellation.
        let failed = nursery(async |n| {
            n.start_soon(async { Ok(sleep_forever().await?) });
            n.start_soon_named("fails", async { Err(empty()) });
            Ok(())
        });
        let group = failed.await.unwrap_err().into_group().unwrap();
        assert_eq!((group.errors().len(), group.origin(0).unwrap().name()), (1, "fails"));
        Ok(())
    })
    .unwrap();
}
