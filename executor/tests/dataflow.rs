//! Fan-out, fan-in, sources, global works; and the same on each executor.

mod common;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use terzetto::Error;
use terzetto_executor::{
    ExecutorAsync, Key, Moment, Observer, Options, Outcome, Queue, Stalled, Statistics, Topology,
};

use common::executors::{EVERYWHERE, On, execute_within};

fn execute(topology: Topology, options: Options, on: On) -> Result<Outcome, Error> {
    execute_within(30.0, topology, options, on)
}

fn small() -> Options {
    Options::new().max_workers(3).queue_limit(3)
}

/// The items of a queue of results by key, errors as text.
fn found<T>(queue: &Queue<T>) -> BTreeMap<String, Result<T, String>> {
    let text = |(key, value): (Key, Result<T, _>)| {
        (key.to_string(), value.map_err(|error: terzetto_executor::ItemError| error.to_string()))
    };
    queue.drain().into_iter().map(text).collect()
}

fn numbers(count: usize) -> impl Iterator<Item = (String, usize)> {
    (0..count).map(|n| (format!("{n:03}"), n))
}

#[test]
fn branches_split_and_meet_by_key() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("diamond");
        let start = topology.queue::<usize>("start");
        let (left, right) = (topology.queue::<usize>("left"), topology.queue::<String>("right"));
        let (slow, quick) = (topology.queue::<usize>("slow"), topology.queue::<usize>("quick"));
        let sums = topology.results::<usize>("sums");
        topology.source("count", &start, numbers(100));
        topology.cpu("split", &start).to((&left, &right)).each(|_, n| match n {
            13 => Err("unlucky".into()),
            n => Ok((n, n.to_string())),
        });
        // One branch turns the order of neighbours around.
        topology.io("left", &left).to(&slow).each(|_, n| {
            thread::sleep(Duration::from_micros(if n % 2 == 0 { 300 } else { 0 }));
            if n == 20 { Err("left out".into()) } else { Ok(n) }
        });
        topology.cpu("right", &right).to(&quick).each(|_, text| Ok(text.parse::<usize>()? * 1000));
        topology.cpu("sum", (&slow, &quick)).to(&sums).each(|_, (a, b)| Ok(a + b));
        let outcome = execute(topology, small(), on)?;
        assert_eq!((outcome.done, outcome.failed.len()), (98, 2), "{on:?}");
        let found = found(&sums);
        for n in 0..100 {
            let expected = match n {
                13 => Err("work `split` failed on `013`: unlucky".to_owned()),
                20 => Err("work `left` failed on `020`: left out".to_owned()),
                n => Ok(1001 * n),
            };
            assert_eq!(found[&format!("{n:03}")], expected, "{on:?}");
        }
    }
    Ok(())
}

#[test]
fn what_has_no_partner_says_so() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("unequal");
        let [a, b] = ["a", "b"].map(|name| topology.queue::<usize>(name));
        let pairs = topology.results::<(usize, usize)>("pairs");
        topology.source("count a", &a, numbers(50));
        // In another order, and only every third.
        topology.source(
            "count b",
            &b,
            numbers(50).filter(|(_, n)| n % 3 == 0).collect::<Vec<_>>().into_iter().rev(),
        );
        topology.cpu("pair", (&a, &b)).to(&pairs).each(|_, pair| Ok(pair));
        let outcome = execute(topology, small(), on)?;
        assert_eq!((outcome.done, outcome.failed.len()), (17, 33), "{on:?}");
        let found = found(&pairs);
        assert_eq!(found["012"], Ok((12, 12)));
        let error = "work `join a + b` failed on `001`: no item of this key came in queue `b`";
        assert_eq!(found["001"], Err(error.to_owned()));
    }
    Ok(())
}

#[test]
fn items_of_one_key_meet_in_their_order() -> Result<(), Error> {
    for on in EVERYWHERE {
        for room in [1, 2, 8] {
            let mut topology = Topology::new("twins");
            let [a, b] = ["a", "b"].map(|name| topology.queue::<usize>(name));
            let pairs = topology.results::<(usize, usize)>("pairs");
            let twice = |from: usize| {
                let key = move |n: usize| format!("{:03}", if from == 0 { n / 2 } else { (39 - n) / 2 });
                (0..40).map(move |n| (key(n), n % 2))
            };
            topology.source(
                "count a",
                &a,
                twice(0).chain([("alone".to_owned(), 5), ("alone".to_owned(), 6)]),
            );
            topology.source("count b", &b, twice(39).chain([("alone".to_owned(), 5)]));
            topology.cpu("pair", (&a, &b)).to(&pairs).each(|_, pair| Ok(pair));
            let outcome = execute(topology, small().queue_limit(room), on)?;
            assert_eq!((outcome.done, outcome.failed.len()), (41, 1), "{on:?}, room for {room}");
            assert_eq!(outcome.failed[0].0.as_str(), "alone");
            let values = pairs.drain().into_iter().filter_map(|(_, value)| value.ok());
            assert!(values.into_iter().all(|(a, b)| a == b), "{on:?}, room for {room}");
        }
    }
    Ok(())
}

/// The second join runs dry while the first one's bound is in the way: it must not give up yet.
#[test]
fn a_join_gives_up_only_when_those_before_it_have() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("patience");
        let [a, b, c, both] = ["a", "b", "c", "both"].map(|name| topology.queue::<usize>(name));
        let sums = topology.results::<usize>("sums");
        topology.source("count a", &a, numbers(30));
        topology.source("count b", &b, numbers(30).collect::<Vec<_>>().into_iter().rev());
        topology.source("count c", &c, numbers(31));
        topology.cpu("first", (&a, &b)).to(&both).each(|_, (a, b)| Ok(a + b));
        topology.cpu("second", (&both, &c)).to(&sums).each(|_, (both, c)| Ok(both + c));
        let outcome = execute(topology, small().queue_limit(1), on)?;
        assert_eq!((outcome.done, outcome.failed.len()), (30, 1), "{on:?}");
        let error = "work `join both + c` failed on `030`: no item of this key came in queue `both`";
        assert_eq!(found(&sums)["030"], Err(error.to_owned()));
    }
    Ok(())
}

#[test]
fn three_and_four_inputs() -> Result<(), Error> {
    let mut topology = Topology::new("many");
    let [a, b, c, d, e] = ["a", "b", "c", "d", "e"].map(|name| topology.queue::<usize>(name));
    let sums = topology.results::<usize>("sums");
    topology.source("count", &a, numbers(40));
    topology.cpu("spread", &a).to((&b, &c, &d, &e)).each(|_, n| Ok((n, n, n, n)));
    let [x, y] = ["x", "y"].map(|name| topology.queue::<usize>(name));
    topology.cpu("four", (&b, &c, &d)).to((&x, &y)).each(|_, (b, c, d)| Ok((b + c, d)));
    topology.cpu("sum", (&x, &y, &e)).to(&sums).each(|_, (x, y, e)| Ok(x + y + e));
    let outcome = execute(topology, small(), On::Threads)?;
    assert_eq!(outcome.done, 40);
    assert!(found(&sums).iter().all(|(key, sum)| *sum == Ok(4 * key.parse::<usize>().expect("a number"))));
    Ok(())
}

#[test]
fn a_global_work_gathers_windows_and_the_rest_at_the_end() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("windows");
        let images = topology.queue::<usize>("images");
        let windows = topology.queue::<Vec<usize>>("windows");
        let sums = topology.results::<usize>("sums");
        topology.source("count", &images, numbers(31));
        let mut longest = 0;
        topology.global("gather", &images, &windows, move |images, windows, moment| {
            longest = longest.max(windows.len());
            assert!(longest <= 3, "it is called when there is room");
            while windows.room() > 0 && (images.len() >= 3 || (moment == Moment::End && !images.is_empty())) {
                let window: Vec<_> = (0..3).filter_map(|_| images.pop()).collect();
                let key = window[0].0.clone();
                windows.push(key, window.into_iter().map(|(_, n)| n).collect::<Result<_, _>>()?);
            }
            Ok(())
        });
        topology.cpu("sum", &windows).to(&sums).each(|_, window| Ok(window.iter().sum()));
        let outcome = execute(topology, small(), on)?;
        assert_eq!(outcome.done, 11, "{on:?}");
        let found = found(&sums);
        // With several workers, images may arrive in another order; nothing is lost or doubled.
        assert_eq!(found.values().map(|sum| sum.clone().expect("a sum")).sum::<usize>(), (0..31).sum());
        assert_eq!(found["000"], Ok(3));
        assert_eq!(found["030"], Ok(30));
    }
    Ok(())
}

#[test]
fn a_global_work_may_hold_everything_back_until_the_end() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("sorted");
        let images = topology.queue::<usize>("images");
        let sorted = topology.queue::<usize>("sorted");
        let ends = topology.results::<usize>("ends");
        topology.source("count", &images, numbers(40).collect::<Vec<_>>().into_iter().rev());
        let mut held = Vec::new();
        topology.global("sort", &images, &sorted, move |images, sorted, moment| {
            held.extend(images.drain());
            held.sort_by(|a, b| b.0.cmp(&a.0));
            if moment == Moment::End {
                held.drain(..).rev().for_each(|item| sorted.push_item(item));
            }
            Ok(())
        });
        topology.cpu("end", &sorted).to(&ends).each(|_, n| Ok(n));
        let outcome = execute(topology, small().max_workers(1), on)?;
        assert_eq!(outcome.done, 40, "{on:?}");
        let order: Vec<usize> = ends.drain().into_iter().filter_map(|(_, n)| n.ok()).collect();
        assert_eq!(order, (0..40).collect::<Vec<_>>(), "{on:?}");
    }
    Ok(())
}

#[test]
fn what_a_global_work_leaves_behind_is_an_error() {
    let mut topology = Topology::new("lazy");
    let images = topology.queue::<usize>("images");
    let windows = topology.results::<usize>("windows");
    topology.source("count", &images, numbers(2));
    topology.global("sleep", &images, &windows, |_, _, _| Ok(()));
    let error = execute(topology, small(), On::Threads).expect_err("it stalls");
    let stalled = error.downcast_ref::<Stalled>().expect("a stall");
    assert_eq!(stalled.to_string(), "no work can go on, but items wait in queue `images` (2)");
}

#[test]
fn a_global_work_may_fail_and_panic() -> Result<(), Error> {
    for panics in [false, true] {
        let mut topology = Topology::new("broken");
        let images = topology.queue::<usize>("images");
        topology.source("count", &images, numbers(1));
        topology.global("break", &images, (), move |images, (), moment| {
            assert!(!panics || moment == Moment::End, "lost");
            if images.pop().is_some() && !panics { Err("torn".into()) } else { Ok(()) }
        });
        let outcome = execute(topology, small(), On::Threads)?;
        let text = if panics {
            "work `break` panicked on `break`: lost"
        } else {
            "work `break` failed on `break`: torn"
        };
        assert_eq!(outcome.failed.first().map(|(_, error)| error.to_string()).as_deref(), Some(text));
    }
    Ok(())
}

/// An iterator that is asked for more than there is room for would run ahead.
#[test]
fn a_source_is_asked_as_far_as_there_is_room() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("lazy");
        let start = topology.queue::<usize>("start");
        let (listed, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let ahead = Arc::new(AtomicUsize::new(0));
        let (counter, ended, most) = (listed.clone(), done.clone(), ahead.clone());
        topology.source(
            "count",
            &start,
            numbers(500).inspect(move |_| {
                let now = counter.fetch_add(1, SeqCst) + 1;
                most.fetch_max(now - ended.load(SeqCst), SeqCst);
            }),
        );
        topology.io("end", &start).each(move |_, _| {
            done.fetch_add(1, SeqCst);
            Ok(())
        });
        assert_eq!(execute(topology, small(), on)?.done, 500);
        let bound = 3 + 3 + 1;
        assert!(ahead.load(SeqCst) <= bound, "{on:?}: {} ahead", ahead.load(SeqCst));
    }
    Ok(())
}

#[test]
fn a_source_that_panics_ends_as_an_error() -> Result<(), Error> {
    let mut topology = Topology::new("broken");
    let start = topology.queue::<usize>("start");
    topology.source("count", &start, numbers(9).inspect(|(_, n)| assert!(*n < 5, "no more")));
    topology.io("end", &start).each(|_, _| Ok(()));
    let outcome = execute(topology, small(), On::Threads)?;
    assert_eq!((outcome.done, outcome.failed.len()), (5, 1));
    assert_eq!(outcome.failed[0].1.to_string(), "work `count` panicked on `count`: no more");
    Ok(())
}

/// The works are so quick that one worker suffices, until one item is slow: the others must not wait
/// for it.
#[test]
fn a_slow_item_among_quick_ones_holds_nobody_up() -> Result<(), Error> {
    let mut topology = Topology::new("uneven");
    let [start, middle] = ["start", "middle"].map(|name| topology.queue::<usize>(name));
    topology.source("count", &start, numbers(3000));
    let done = Arc::new(AtomicUsize::new(0));
    let (ended, meanwhile) = (done.clone(), Arc::new(AtomicUsize::new(0)));
    let seen = meanwhile.clone();
    topology.cpu("work", &start).to(&middle).each(move |_, n| {
        if n == 1000 {
            thread::sleep(Duration::from_millis(500));
            seen.store(ended.load(SeqCst), SeqCst);
        }
        Ok(n)
    });
    topology.cpu("end", &middle).each(move |_, _| {
        done.fetch_add(1, SeqCst);
        Ok(())
    });
    let options = Options::new().max_workers(3).queue_limit(16);
    assert_eq!(execute(topology, options, On::Threads)?.done, 3000);
    let meanwhile = meanwhile.load(SeqCst);
    println!("{meanwhile} of 3000 items were done when the slow one was");
    // Before it, some 1000.
    assert!(meanwhile > 2000, "{meanwhile}");
    Ok(())
}

#[test]
fn every_worker_gets_work() -> Result<(), Error> {
    let mut topology = Topology::new("wide");
    let [start, middle] = ["start", "middle"].map(|name| topology.queue::<usize>(name));
    topology.source("count", &start, numbers(60));
    topology.io("read", &start).to(&middle).each(|_, n| Ok(n));
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let peak = most.clone();
    topology.cpu("compute", &middle).each(move |_, _| {
        peak.fetch_max(now.fetch_add(1, SeqCst) + 1, SeqCst);
        thread::sleep(Duration::from_millis(10));
        now.fetch_sub(1, SeqCst);
        Ok(())
    });
    let options = Options::new().max_workers(5).queue_limit(20);
    execute(topology, options, On::Threads)?;
    assert_eq!(most.load(SeqCst), 5);
    Ok(())
}

#[derive(Default)]
struct Log(Arc<Mutex<Vec<Statistics>>>);

impl Observer for Log {
    fn statistics(&self, statistics: &Statistics) {
        self.0.lock().expect("no panic").push(statistics.clone());
    }
}

#[test]
fn statistics_come_once_in_every_sleep_time() -> Result<(), Error> {
    let mut topology = Topology::new("watched");
    let start = topology.queue::<usize>("start");
    topology.source("count", &start, numbers(20));
    topology.io("wait", &start).each(|_, _| {
        thread::sleep(Duration::from_millis(20));
        Ok(())
    });
    let options = Options::new().max_workers(2).queue_limit(4).statistics_period(Duration::from_millis(20));
    let mut executor = ExecutorAsync::new(topology, options)?;
    let log = Log::default();
    let told = log.0.clone();
    executor.observe(log);
    let outcome = terzetto::run(executor.run())?;
    let told = told.lock().expect("no panic");
    let most = (outcome.elapsed.as_millis() / 20) as usize + 1;
    assert!((3..=most).contains(&told.len()), "{} in {:?}", told.len(), outcome.elapsed);
    assert!(told.iter().any(|now| now.io_workers == 2 && now.waiting[0].1 > 0), "{told:?}");
    assert!(told.windows(2).all(|pair| pair[0].done <= pair[1].done));
    Ok(())
}

#[test]
fn stop_if_error_returns_every_error() {
    let mut topology = Topology::new("bad");
    let start = topology.queue::<usize>("start");
    topology.source("count", &start, numbers(100));
    let inside = Arc::new(AtomicUsize::new(0));
    topology.io("fail", &start).each(move |_, n| {
        // All fail together, once three are there.
        inside.fetch_add(1, SeqCst);
        while inside.load(SeqCst) < 3 {
            thread::yield_now();
        }
        Err(format!("bad {n}").into())
    });
    let error = execute(topology, small().stop_if_error(true), On::Threads).expect_err("it stops");
    let leaves: Vec<String> = error.group().expect("a group").leaves().map(ToString::to_string).collect();
    assert_eq!(leaves.len(), 3, "{leaves:?}");
    for n in 0..3 {
        let text = format!("work `fail` failed on `{n:03}`: bad {n}");
        assert!(leaves.contains(&text), "{text} in {leaves:?}");
    }
}
