//! Numbers of each work, in the outcome, in the job's folder and in its log.

mod common;

use std::{fs, thread, time::Duration};

use log::LevelFilter;
use terzetto::Error;
use terzetto_executor::{
    Options, Topology,
    job::{JobState, job_reports},
};

use common::{
    Folder,
    executors::{EVERYWHERE, On, execute_within},
    jobs,
};

/// Numbers that pass a quick work and a slow one, which fails on 3.
fn topology(count: usize, slow: Duration) -> Topology {
    let mut topology = Topology::new("numbers");
    let numbers = topology.queue::<usize>("numbers");
    let checked = topology.queue::<usize>("checked");
    topology.source("count", &numbers, (0..count).map(|n| (n.to_string(), n)));
    topology.cpu("quick", &numbers).to(&checked).each(|_, n| Ok(n));
    topology.io("slow", &checked).max_workers(1).each(move |_, n| {
        thread::sleep(slow);
        if n == 3 { Err("three".into()) } else { Ok(()) }
    });
    topology
}

#[test]
fn num_01_each_work_is_counted_and_timed_and_the_slow_one_is_the_bottleneck() -> Result<(), Error> {
    for on in EVERYWHERE {
        let nap = Duration::from_millis(5);
        let outcome =
            execute_within(60.0, topology(30, nap), Options::new().max_workers(2).queue_limit(8), on)?;
        let names: Vec<&str> = outcome.works.iter().map(|work| &*work.work).collect();
        assert_eq!(names, ["count", "quick", "slow"], "in the direction of flow");
        let [count, quick, slow] = &outcome.works[..] else { panic!("three works") };
        assert_eq!((count.calls, quick.calls, slow.calls), (31, 30, 30), "{on:?}");
        assert_eq!((quick.failed, slow.failed), (0, 1), "{on:?}");
        assert!(slow.busy >= 30 * nap && slow.mean() >= Some(nap), "{on:?}: {slow:?}");
        assert!(quick.busy < slow.busy, "{on:?}");
        assert_eq!(outcome.bottleneck().map(|work| &*work.work), Some("slow"), "{on:?}");
        let load = slow.load(outcome.elapsed);
        assert!((0.5..=1.05).contains(&load), "{on:?}: {load}");
        assert_eq!((slow.running, slow.waiting), (0, 0), "{on:?}");
        if matches!(on, On::Threads) {
            // Nearly always, more items wait than one.
            let wait = slow.mean_wait.expect("somebody has looked");
            assert!(wait > nap && wait < 20 * nap, "{wait:?}");
            assert!(quick.mean_wait.unwrap_or_default() < 20 * nap, "{:?}", quick.mean_wait);
        }
    }
    Ok(())
}

#[test]
fn num_02_others_can_read_the_numbers_while_the_run_goes_on_and_after_it() -> Result<(), Error> {
    let folder = Folder::new();
    let results = folder.0.clone();
    let looking = thread::spawn(move || {
        loop {
            if let Some(report) = job_reports(&results).into_iter().find(|report| !report.works.is_empty()) {
                return report;
            }
            thread::sleep(Duration::from_millis(20));
        }
    });
    let options = Options::new().results_folder(&folder.0).expected_results(150);
    let outcome = execute_within(60.0, topology(150, Duration::from_millis(10)), options, On::Threads)?;
    let during = looking.join().expect("no panic");
    assert_eq!(during.state, JobState::Running);
    assert!((1..150).contains(&during.works[2].calls), "{:?}", during.works);
    assert!(during.works_elapsed >= Duration::from_secs(1));
    let (work, load) = during.bottleneck().expect("there is one");
    assert!(work.work == "slow" && work.waiting > 0 && load > 0.5, "{work:?} {load}");
    assert!(during.host.is_some());
    let after = &job_reports(&folder.0)[0];
    assert_eq!(after.state, JobState::Ended("finished".into()));
    let rounded = |time: Duration| time.as_millis();
    for (read, told) in after.works.iter().zip(&outcome.works) {
        assert_eq!(
            (&read.work, read.kind, read.calls, read.failed),
            (&told.work, told.kind, told.calls, told.failed)
        );
        assert_eq!(rounded(read.busy), rounded(told.busy));
    }
    Ok(())
}

fn log_of(level: LevelFilter, count: usize) -> Result<String, Error> {
    let folder = Folder::new();
    let options = Options::new().results_folder(&folder.0).log_level(level);
    execute_within(60.0, topology(count, Duration::ZERO), options, On::Threads)?;
    let log = fs::read_to_string(jobs(&folder.0)[0].join("log.txt")).expect("a log");
    let list = fs::read_to_string(jobs(&folder.0)[0].join("results.txt")).expect("a list");
    assert_eq!(list.lines().count(), count, "the list of results has every item");
    Ok(log)
}

#[test]
fn log_01_quick_calls_are_summed_up_after_the_first_hundred() -> Result<(), Error> {
    let log = log_of(LevelFilter::Info, 5000)?;
    let lines = |work: &str| log.lines().filter(|line| line.contains(&format!(": {work} took "))).count();
    let summed = |work: &str| -> usize {
        let of_work = log.lines().filter_map(|line| line.split_once(&format!(" {work}: ")));
        of_work.filter_map(|(_, rest)| rest.split_once(" quick calls, ")?.0.parse::<usize>().ok()).sum()
    };
    for (work, calls) in [("quick", 5000), ("slow", 4999)] {
        // A call among thousands may take a millisecond, and then it has a line.
        assert!((100..1000).contains(&lines(work)), "{work}: {} lines", lines(work));
        assert_eq!(lines(work) + summed(work), calls, "{work}: each call is in the log");
    }
    assert!(log.contains("work `slow` failed on `3`: three"));
    Ok(())
}

#[test]
fn log_02_with_debug_each_call_has_its_lines() -> Result<(), Error> {
    let log = log_of(LevelFilter::Debug, 500)?;
    assert_eq!(log.lines().filter(|line| line.contains(": quick took ")).count(), 500);
    assert_eq!(log.lines().filter(|line| line.contains(": quick starts")).count(), 500);
    Ok(())
}
