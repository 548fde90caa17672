//! Tasks: works whose functions are async.

mod common;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};

use terzetto::time::Backoff;
use terzetto::{Error, checkpoint, fail_after, move_on_after, sleep, sleep_forever};
use terzetto_executor::{
    Ending, ExecutorAsync, ExecutorSequential, Options, Outcome, Problem, TimeLimitExceeded, Topology,
};

use common::{
    executors::{On, execute_within},
    gauge::Gauge,
    numbers, small,
};

const WITH_LOOP: [On; 2] = [On::Threads, On::OneThread];

fn execute(topology: Topology, options: Options, on: On) -> Result<Outcome, Error> {
    execute_within(60.0, topology, options, on)
}

#[test]
fn task_01_tasks_stand_among_works_in_threads() -> Result<(), Error> {
    for on in WITH_LOOP {
        let mut topology = Topology::new("mixed");
        let numbers = numbers(&mut topology, 500);
        let [read, doubled] = ["read", "doubled"].map(|name| topology.queue::<usize>(name));
        let ends = topology.results::<usize>("ends");
        topology.io("read", &numbers).to(&read).each(|_, n| Ok(n + 1));
        topology.task("double", &read).to(&doubled).each(async |_, n| {
            for _ in 0..n % 3 {
                checkpoint().await?;
            }
            if n % 100 == 0 { Err("a hundred".into()) } else { Ok(2 * n) }
        });
        topology.cpu("check", &doubled).to(&ends).each(|key, n| {
            assert_eq!(key.as_str(), (n / 2 - 1).to_string());
            Ok(n)
        });
        let outcome = execute(topology, small(), on)?;
        assert_eq!(
            (outcome.done, outcome.failed_count, outcome.ending),
            (495, 5, Ending::Finished),
            "{on:?}"
        );
        assert!(outcome.failed[0].1.to_string().contains("work `double` failed on"), "{:?}", outcome.failed);
    }
    Ok(())
}

#[test]
fn task_02_calls_overlap_up_to_their_limit_on_one_thread() -> Result<(), Error> {
    for on in WITH_LOOP {
        let mut topology = Topology::new("naps");
        let numbers = numbers(&mut topology, 60);
        let (gauge, threads) = (Arc::new(Gauge::default()), Arc::new(Mutex::new(Vec::new())));
        let (inside, seen) = (gauge.clone(), threads.clone());
        topology.task("nap", &numbers).max_workers(20).each(async move |_, _| {
            seen.lock().unwrap().push(std::thread::current().id());
            inside.enter();
            sleep(0.02).await?;
            inside.leave();
            Ok(())
        });
        let outcome = execute(topology, Options::new().max_workers(1).queue_limit(60), on)?;
        assert_eq!(outcome.done, 60);
        assert_eq!(gauge.most(), 20, "{on:?}");
        let here = std::thread::current().id();
        assert!(threads.lock().unwrap().iter().all(|thread| *thread == here), "{on:?}");
    }
    Ok(())
}

#[test]
fn task_03_a_task_that_panics_fails_its_own_item() -> Result<(), Error> {
    for on in WITH_LOOP {
        let mut topology = Topology::new("panics");
        let numbers = numbers(&mut topology, 10);
        topology.task("look", &numbers).each(async |_, n| {
            checkpoint().await?;
            assert!(n != 3, "three");
            Ok(())
        });
        let outcome = execute(topology, small(), on)?;
        assert_eq!((outcome.done, outcome.failed_count), (9, 1), "{on:?}");
        assert!(outcome.failed[0].1.is_panic() && outcome.failed[0].0.as_str() == "3", "{on:?}");
    }
    Ok(())
}

#[test]
fn task_04_a_cancelled_run_names_the_items_whose_calls_were_cancelled() -> Result<(), Error> {
    for on in WITH_LOOP {
        for by_control in [true, false] {
            let mut topology = Topology::new("forever");
            let numbers = numbers(&mut topology, 100);
            let begun = Arc::new(AtomicUsize::new(0));
            let counting = begun.clone();
            topology.task("wait", &numbers).max_workers(3).each(async move |_, n| {
                counting.fetch_add(1, SeqCst);
                if n > 0 {
                    sleep_forever().await?
                }
                Ok(())
            });
            let executor = match on {
                On::OneThread => ExecutorAsync::on_one_thread(topology, small())?,
                _ => ExecutorAsync::new(topology, small())?,
            };
            let control = executor.control();
            if !by_control {
                let ended = terzetto::run(move_on_after(0.1, executor.run()))?;
                assert!(ended.is_none(), "{on:?}");
                continue;
            }
            let waiting = begun.clone();
            std::thread::spawn(move || {
                while waiting.load(SeqCst) < 4 {
                    std::thread::sleep(Duration::from_millis(1));
                }
                control.cancel();
            });
            let outcome = terzetto::run(fail_after(60.0, executor.run()))?;
            assert_eq!((outcome.ending, outcome.done), (Ending::Cancelled, 1), "{on:?}");
            let mut keys: Vec<&str> = Vec::new();
            for left in outcome.unfinished.iter().filter(|left| left.at == "wait") {
                keys.extend(left.keys.iter().map(|key| key.as_str()));
            }
            keys.sort_unstable();
            assert_eq!(keys, ["1", "2", "3"], "{on:?}");
            assert!(outcome.unfinished.iter().any(|left| left.at == "count"), "{on:?}");
            assert_eq!(begun.load(SeqCst), 4, "{on:?}");
        }
    }
    Ok(())
}

#[test]
fn task_05_a_stopped_run_finishes_the_calls_that_run() -> Result<(), Error> {
    let mut topology = Topology::new("stopped");
    let numbers = numbers(&mut topology, 1000);
    let begun = Arc::new(AtomicUsize::new(0));
    let counting = begun.clone();
    topology.task("nap", &numbers).max_workers(3).each(async move |_, _| {
        counting.fetch_add(1, SeqCst);
        sleep(0.05).await?;
        Ok(())
    });
    let executor = ExecutorAsync::new(topology, small())?;
    let control = executor.control();
    let waiting = begun.clone();
    std::thread::spawn(move || {
        while waiting.load(SeqCst) < 3 {
            std::thread::sleep(Duration::from_millis(1));
        }
        control.stop();
    });
    let outcome = terzetto::run(fail_after(60.0, executor.run()))?;
    assert_eq!(outcome.ending, Ending::Stopped);
    assert_eq!(outcome.done, begun.load(SeqCst), "what had begun has ended");
    assert!(outcome.unfinished.iter().all(|left| left.at != "nap"));
    Ok(())
}

#[test]
fn task_06_a_call_that_takes_too_long_fails_and_is_cancelled() -> Result<(), Error> {
    for on in WITH_LOOP {
        let mut topology = Topology::new("limits");
        let numbers = numbers(&mut topology, 4);
        let limit = Duration::from_millis(50);
        topology.task("wait", &numbers).time_limit(limit).each(async |_, n| {
            if n == 2 {
                sleep_forever().await?
            }
            Ok(())
        });
        let outcome = execute(topology, small(), on)?;
        assert_eq!((outcome.done, outcome.failed_count), (3, 1), "{on:?}");
        assert_eq!(outcome.failed[0].1.downcast_ref(), Some(&TimeLimitExceeded { limit }), "{on:?}");
    }
    Ok(())
}

#[test]
fn task_07_each_attempt_has_its_time_and_waits_longer_than_the_one_before() -> Result<(), Error> {
    let mut topology = Topology::new("attempts");
    let numbers = numbers(&mut topology, 1);
    let times = Arc::new(Mutex::new(Vec::new()));
    let seen = times.clone();
    let backoff = Backoff::constant(0.02).factor(3.0);
    topology.task("fetch", &numbers).time_limit(Duration::from_millis(10)).retry(3, backoff).each(
        async move |_, n| {
            let attempt = {
                let mut times = seen.lock().unwrap();
                times.push(Instant::now());
                times.len()
            };
            match attempt {
                1 => sleep_forever().await?,
                2 => Err("busy")?,
                _ => {}
            }
            assert_eq!(n, 0, "the value is there in each attempt");
            Ok(())
        },
    );
    let outcome = execute(topology, small(), On::Threads)?;
    assert_eq!((outcome.done, outcome.works[1].retries, outcome.works[1].calls), (1, 2, 1));
    let times = times.lock().unwrap();
    assert_eq!(times.len(), 3);
    assert!(times[1] - times[0] >= Duration::from_millis(30), "time limit and wait");
    assert!(times[2] - times[1] >= Duration::from_millis(60), "three times the wait");
    Ok(())
}

#[test]
fn task_08_an_executor_without_a_loop_refuses_tasks() {
    let mut topology = Topology::new("no loop");
    let numbers = numbers(&mut topology, 1);
    topology.task("wait", &numbers).each(async |_, _| Ok(()));
    let refused = ExecutorSequential::new(topology, Options::new()).map(|_| ()).expect_err("a task");
    assert_eq!(refused.problems, [Problem::NeedsLoop { work: "wait".into() }]);
    assert!(refused.to_string().contains("`ExecutorAsync` has one"), "{refused}");
}

#[test]
fn task_09_the_first_error_of_a_task_may_end_the_run() {
    for on in WITH_LOOP {
        let mut topology = Topology::new("stop");
        let numbers = numbers(&mut topology, 1000);
        topology.task("fail", &numbers).each(async |_, n| if n == 3 { Err("three".into()) } else { Ok(()) });
        let error = execute(topology, small().stop_if_error(true), on).expect_err("the first error");
        assert!(error.to_string().contains("work `fail` failed on `3`: three"), "{on:?}: {error}");
    }
}

/// What must be killable is a task that runs a process.
#[cfg(unix)]
#[test]
fn task_10_a_process_of_a_call_that_takes_too_long_is_ended() -> Result<(), Error> {
    use terzetto::process::{Command, run_process};
    let folder = common::Folder::new();
    let (pid, results) = (folder.join("pid"), folder.0.clone());
    let mut topology = Topology::new("processes");
    let numbers = numbers(&mut topology, 2);
    topology.task("compute", &numbers).time_limit(Duration::from_millis(500)).each(async move |_, n| {
        let nap = if n == 0 { 1000 } else { 0 };
        let script = format!("echo $$ >\"$0.$$\" && mv \"$0.$$\" \"$0\"; exec sleep {nap}");
        run_process(Command::new("sh").arg("-c").arg(script).arg(results.join(if n == 0 {
            "pid"
        } else {
            "other"
        })))
        .await?;
        Ok(())
    });
    let outcome = execute(topology, small(), On::Threads)?;
    assert_eq!((outcome.done, outcome.failed_count), (1, 1), "{:?}", outcome.failed);
    assert!(outcome.failed[0].1.downcast_ref::<TimeLimitExceeded>().is_some());
    let pid = std::fs::read_to_string(pid).expect("the process had begun");
    let gone = std::process::Command::new("kill")
        .args(["-0", pid.trim()])
        .stderr(std::process::Stdio::null())
        .status();
    assert!(!gone.expect("`kill` exists").success(), "the process has ended");
    Ok(())
}
