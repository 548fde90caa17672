//! Works that make many items of one, or one of many, and circles.

mod common;

use std::{
    collections::{BTreeSet, HashSet},
    sync::Mutex,
};

use terzetto::Error;
use terzetto_executor::{Ending, Key, Options, Outcome, Problem, Topology};

use common::{
    executors::{EVERYWHERE, On, execute_within},
    numbers, small,
};

fn execute(topology: Topology, options: Options, on: On) -> Result<Outcome, Error> {
    execute_within(60.0, topology, options, on)
}

#[test]
fn flat_01_one_item_becomes_many_or_none() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("many");
        let numbers = numbers(&mut topology, 20);
        let parts = topology.queue::<usize>("parts");
        let ends = topology.results::<usize>("ends");
        topology.cpu("split", &numbers).to(&parts).flat_map(|key, n| match n {
            7 => Err("seven".into()),
            n => Ok((0..n).map(|part| (format!("{key}.{part}"), part)).collect::<Vec<_>>()),
        });
        topology.io("end", &parts).to(&ends).each(|_, part| Ok(part));
        let outcome = execute(topology, small(), on)?;
        let all: usize = (0..20).filter(|n| *n != 7).sum();
        assert_eq!(
            (outcome.done, outcome.failed_count, outcome.ending),
            (all, 1, Ending::Finished),
            "{on:?}"
        );
        assert_eq!(outcome.failed[0].0.as_str(), "7");
        let split = outcome.gathered.iter().find(|work| work.work == "split").expect("the work is counted");
        assert_eq!((split.taken, split.made), (20, all), "{on:?}");
        let keys: HashSet<String> = ends.drain().into_iter().map(|(key, _)| key.to_string()).collect();
        assert_eq!(keys.len(), all + 1, "{on:?}");
    }
    Ok(())
}

#[test]
fn flat_02_a_task_makes_many_items_too() -> Result<(), Error> {
    let mut topology = Topology::new("links");
    let numbers = numbers(&mut topology, 10);
    let links = topology.results::<usize>("links");
    topology.task("fetch", &numbers).to(&links).flat_map(async |key, n| {
        terzetto::checkpoint().await?;
        Ok([(format!("{key}a"), n), (format!("{key}b"), n)])
    });
    assert_eq!(execute(topology, small(), On::Threads)?.done, 20);
    Ok(())
}

/// The sites that a page links to: a tree with cross links.
fn links(page: usize) -> Vec<usize> {
    [2 * page + 1, 2 * page + 2, page / 2].into_iter().filter(|link| *link < 1000).collect()
}

#[test]
fn feed_01_a_crawler_ends_when_nothing_new_is_found() -> Result<(), Error> {
    for on in [On::Threads, On::OneThread] {
        let mut topology = Topology::new("crawler");
        let pages = topology.feedback_queue::<usize>("pages");
        let found = topology.queue::<Vec<usize>>("found");
        topology.one_shot("begin", (), &pages, |(), pages| {
            pages.push("0", 0);
            Ok(())
        });
        topology.task("fetch", &pages).max_workers(8).to(&found).each(async |_, page| {
            terzetto::checkpoint().await?;
            if page == 999 { Err("no such page".into()) } else { Ok(links(page)) }
        });
        let seen = Mutex::new(BTreeSet::from([0]));
        topology.cpu("new ones", &found).to(&pages).flat_map(move |_, found| {
            let mut seen = seen.lock().unwrap();
            let new: Vec<_> = found.into_iter().filter(|page| seen.insert(*page)).collect();
            Ok(new.into_iter().map(|page| (page.to_string(), page)))
        });
        let outcome = execute(topology, small(), on)?;
        assert_eq!(outcome.ending, Ending::Finished, "{on:?}");
        let counts = |name: &str| {
            let work = outcome.works.iter().find(|work| work.work == name).expect("a work");
            (work.calls, work.failed)
        };
        assert_eq!(counts("fetch"), (1000, 1), "{on:?}");
        // An error in a circle goes round once, and no further.
        assert_eq!(counts("new ones"), (999, 0), "{on:?}");
        assert_eq!((outcome.failed_count, outcome.is_complete()), (1, false), "{on:?}");
    }
    Ok(())
}

#[test]
fn feed_02_a_circle_without_a_feedback_queue_is_refused_and_says_how() {
    let mut topology = Topology::new("circle");
    let (a, b) = (topology.queue::<usize>("a"), topology.queue::<usize>("b"));
    topology.source("begin", &a, [("1", 1)]);
    topology.cpu("there", &a).to(&b).each(|_, n| Ok(n));
    topology.cpu("back", &b).to(&a).each(|_, n| Ok(n));
    let refused = topology.check().expect_err("a circle");
    assert!(matches!(&refused.problems[..], [Problem::Cycle { works }] if works.len() == 2), "{refused}");
    assert!(refused.to_string().contains("`feedback_queue`"), "{refused}");
}

#[test]
fn gather_01_batches_hold_every_item_once() -> Result<(), Error> {
    for on in EVERYWHERE {
        for (count, size) in [(0, 3), (1, 3), (100, 7), (100, 50), (5, 1)] {
            let mut topology = Topology::new("batches");
            let numbers = numbers(&mut topology, count);
            let checked = topology.queue::<usize>("checked");
            let batches = topology.queue::<Vec<(Key, usize)>>("batches");
            let ends = topology.results::<Vec<usize>>("ends");
            topology
                .io("check", &numbers)
                .to(&checked)
                .each(|_, n| if n == 4 { Err("four".into()) } else { Ok(n) });
            topology.batches("gather", &checked, &batches, size);
            topology.cpu("unpack", &batches).to(&ends).each(move |_, batch| {
                assert!((1..=size).contains(&batch.len()));
                Ok(batch.into_iter().map(|(_, n)| n).collect())
            });
            let outcome = execute(topology, small(), on)?;
            let fails = usize::from(count > 4);
            assert_eq!(outcome.failed_count, fails, "{on:?} {count} {size}");
            assert_eq!(outcome.done, (count - fails).div_ceil(size), "{on:?} {count} {size}");
            let mut all: Vec<usize> =
                ends.drain().into_iter().filter_map(|(_, batch)| batch.ok()).flatten().collect();
            all.sort_unstable();
            assert_eq!(all, (0..count).filter(|n| *n != 4).collect::<Vec<_>>(), "{on:?} {count} {size}");
        }
    }
    Ok(())
}

#[test]
fn gather_02_windows_overlap_or_leave_gaps() -> Result<(), Error> {
    for (size, step, expected) in [
        (3, 1, vec!["012", "123", "234", "345", "456"]),
        (3, 2, vec!["012", "234", "456"]),
        (3, 3, vec!["012", "345", "6"]),
        (2, 3, vec!["01", "34", "6"]),
        (4, 3, vec!["0123", "3456"]),
        (9, 1, vec!["0123456"]),
    ] {
        for on in EVERYWHERE {
            let mut topology = Topology::new("windows");
            let numbers = numbers(&mut topology, 7);
            let windows = topology.queue::<Vec<(Key, usize)>>("windows");
            let ends = topology.results::<String>("ends");
            topology.windows("gather", &numbers, &windows, size, step);
            topology
                .cpu("name", &windows)
                .max_workers(1)
                .to(&ends)
                .each(|_, window| Ok(window.iter().map(|(_, n)| n.to_string()).collect()));
            execute(topology, small(), on)?;
            let found: Vec<String> = ends.drain().into_iter().filter_map(|(_, name)| name.ok()).collect();
            assert_eq!(found, expected, "{on:?} {size} {step}");
        }
    }
    Ok(())
}
