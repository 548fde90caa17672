//! Couples out of images: each image once, in bounded memory, whatever the order.

mod common;

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use terzetto::Error;
use terzetto_executor::{ExecutorAsync, Key, Options, Outcome, Topology};

use common::{
    executors::{EVERYWHERE, execute_within},
    gauge::{Counted, Gauge},
};

fn execute(topology: Topology, options: Options) -> Result<Outcome, Error> {
    let executor = ExecutorAsync::new(topology, options)?;
    // If a run hangs, its test must fail and not hang, too.
    terzetto::run(terzetto::fail_after(30.0, executor.run()))
}

fn small() -> Options {
    Options::new().max_workers(2).queue_limit(2)
}

/// A series of images 0, 1, 2 … in consecutive couples, read in the given order.
fn couples_of(order: Vec<usize>, options: Options) -> Result<(Outcome, Vec<[usize; 2]>, usize), Error> {
    let mut topology = Topology::new("test");
    let groups = topology.queue::<[Key; 2]>("groups");
    let paths = topology.queue::<usize>("paths");
    let images = topology.queue::<Arc<Counted>>("images");
    let pairs = topology.queue::<[Arc<Counted>; 2]>("pairs");
    let results = topology.results::<[usize; 2]>("results");
    topology.one_shot("fill", (), (groups.clone(), paths.clone()), move |(), (groups, paths)| {
        for n in 1..order.len() {
            groups.push(format!("{}-{n}", n - 1), [n - 1, n].map(|n| Key::from(n.to_string())));
        }
        for n in order {
            paths.push(n.to_string(), n);
        }
        Ok(())
    });
    let gauge = Arc::new(Gauge::default());
    let reads = Arc::new(AtomicUsize::new(0));
    let (counted, counter) = (gauge.clone(), reads.clone());
    topology.io("read", &paths).to(&images).each(move |_, n| {
        counter.fetch_add(1, SeqCst);
        // Reads take different times, so that they do not end in the order in which they began.
        thread::sleep(Duration::from_micros(200 * (n as u64 * 7 % 5)));
        if n == 13 { Err("unlucky".into()) } else { Ok(Arc::new(Counted::new(n, &counted))) }
    });
    topology.join("couple", &groups, &images).to(&pairs);
    topology.cpu("compute", &pairs).to(&results).each(|_, [a, b]| {
        thread::sleep(Duration::from_micros(300));
        Ok([a.0, b.0])
    });
    let outcome = execute(topology, options)?;
    assert_eq!(gauge.now.load(SeqCst), 0, "images are still alive");
    let made = results.drain().into_iter().filter_map(|(_, value)| value.ok()).collect();
    Ok((outcome, made, gauge.most()))
}

#[test]
fn a_join_makes_each_couple_once_and_within_bounds() -> Result<(), Error> {
    for (workers, limit) in [(1, 1), (3, 1), (2, 2), (4, 3)] {
        let options = Options::new().max_workers(workers).queue_limit(limit);
        let (outcome, made, most) = couples_of((0..13).collect(), options)?;
        assert_eq!((outcome.done, outcome.failed.len()), (12, 0));
        let mut sorted = made.clone();
        sorted.sort();
        assert_eq!(sorted, (1..13).map(|n| [n - 1, n]).collect::<Vec<_>>());
        // Queued images, the join's two, queued couples (each adds one image), computed couples.
        let bound = limit + 2 + limit + 2 * workers;
        assert!(most <= bound, "{workers} workers, limit {limit}: {most} images, at most {bound}");
    }
    Ok(())
}

#[test]
fn a_part_that_fails_costs_only_the_groups_that_want_it() -> Result<(), Error> {
    let (outcome, made, _) = couples_of((0..20).collect(), small())?;
    assert_eq!((outcome.done, made.len()), (17, 17));
    let mut failed: Vec<String> =
        outcome.failed.iter().map(|(key, error)| format!("{key}: {error}")).collect();
    failed.sort();
    assert_eq!(
        failed,
        ["12-13: work `read` failed on `13`: unlucky", "13-14: work `read` failed on `13`: unlucky"]
    );
    Ok(())
}

/// The worst order for a bounded queue: what the first group wants comes last.
#[test]
fn a_join_does_not_deadlock_whatever_the_order() -> Result<(), Error> {
    for limit in [1, 2, 4] {
        let options = Options::new().max_workers(2).queue_limit(limit);
        let (outcome, made, _) = couples_of((0..13).rev().collect(), options)?;
        assert_eq!((outcome.done, made.len()), (12, 12));
    }
    Ok(())
}

#[test]
fn a_part_that_never_comes_is_named() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let groups = topology.queue::<[Key; 2]>("groups");
    let parts = topology.queue::<usize>("parts");
    let made = topology.results::<[usize; 2]>("made");
    topology.one_shot("fill", (), (groups.clone(), parts.clone()), |(), (groups, parts)| {
        groups.push("a-b", [Key::from("a"), Key::from("b")]);
        groups.push("b-c", [Key::from("b"), Key::from("c")]);
        groups.push("c-c", [Key::from("c"), Key::from("c")]);
        parts.push("c", 3);
        parts.push("stray", 4);
        parts.push("a", 1);
        Ok(())
    });
    topology.join("couple", &groups, &parts).to(&made);
    let outcome = execute(topology, small())?;
    assert_eq!(outcome.done, 1);
    let failed: Vec<String> = outcome.failed.iter().map(|(_, error)| error.to_string()).collect();
    assert_eq!(failed, ["work `couple` failed on `b`: it never arrived"; 2]);
    assert_eq!(made.drain().pop().and_then(|(_, value)| value.ok()), Some([3, 3]));
    Ok(())
}

#[test]
fn an_item_that_is_joined_from_two_errors_counts_once_and_both_are_told() -> Result<(), Error> {
    for on in EVERYWHERE {
        let folder = common::Folder::new();
        let mut topology = Topology::new("two errors");
        let source = topology.queue::<usize>("source");
        let [a, b, left, right] = ["a", "b", "left", "right"].map(|name| topology.queue::<usize>(name));
        topology.source("count", &source, (0..3).map(|n| (n.to_string(), n)));
        topology.cpu("split", &source).to((&a, &b)).each(|_, n| Ok((n, n)));
        topology.io("left work", &a).to(&left).each(|_, n| if n == 1 { Err("left".into()) } else { Ok(n) });
        topology
            .io("right work", &b)
            .to(&right)
            .each(|_, n| if n == 1 { Err("right".into()) } else { Ok(n) });
        topology.cpu("end", (&left, &right)).each(|_, _| Ok(()));
        let options = small().expected_results(4).results_folder(&folder.0);
        let outcome = execute_within(60.0, topology, options, on)?;
        // One more was expected than came: two errors of one item must not hide that.
        assert_eq!((outcome.done, outcome.failed_count, outcome.missing), (2, 1, 1), "{on:?}: {outcome:?}");
        assert!(
            outcome.failed[0].1.to_string().contains("left"),
            "{on:?}: the first input's error stands for both"
        );
        let errors = common::names(&common::jobs(&folder.0)[0].join("errors"), ".txt");
        assert_eq!(errors.len(), 2, "{on:?}: {errors:?}");
    }
    Ok(())
}

#[test]
fn a_group_of_two_images_that_cannot_be_read_is_one_failure() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("two errors");
        let groups = topology.queue::<[Key; 2]>("groups");
        let [paths, images] = ["paths", "images"].map(|name| topology.queue::<usize>(name));
        let pairs = topology.queue::<[usize; 2]>("pairs");
        topology.one_shot("list", (), (&groups, &paths), |(), (groups, paths)| {
            for couple in 0..3 {
                groups.push(couple.to_string(), ["a", "b"].map(|end| Key::from(format!("{couple}{end}"))));
                ["a", "b"].iter().for_each(|end| paths.push(format!("{couple}{end}"), couple));
            }
            Ok(())
        });
        topology
            .io("read", &paths)
            .to(&images)
            .each(|_, n| if n == 1 { Err("no image".into()) } else { Ok(n) });
        topology.join("couples", &groups, &images).to(&pairs);
        topology.cpu("end", &pairs).each(|_, _| Ok(()));
        let outcome = execute_within(60.0, topology, small().expected_results(3), on)?;
        assert_eq!((outcome.done, outcome.failed_count, outcome.missing), (2, 1, 0), "{on:?}: {outcome:?}");
    }
    Ok(())
}
