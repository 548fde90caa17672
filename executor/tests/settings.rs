//! What a topology says of one work: its own limit, resources, priority, further attempts.

mod common;

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::{Duration, Instant},
};

use terzetto::Error;
use terzetto::time::Backoff;
use terzetto_executor::{ExecutorAsync, Options, Outcome, Problem, Topology};

use common::{
    executors::{EVERYWHERE, On, execute_within},
    gauge::Gauge,
    numbers,
};

fn execute(topology: Topology, options: Options, on: On) -> Result<Outcome, Error> {
    execute_within(60.0, topology, options, on)
}

fn nap(gauge: &Gauge) {
    gauge.enter();
    thread::sleep(Duration::from_millis(5));
    gauge.leave();
}

#[test]
fn work_01_a_work_has_its_own_limit() -> Result<(), Error> {
    let mut topology = Topology::new("limits");
    let numbers = numbers(&mut topology, 40);
    let between = topology.queue::<usize>("between");
    let gauges = [Arc::new(Gauge::default()), Arc::new(Gauge::default())];
    let [first, second] = gauges.clone();
    topology.io("two", &numbers).max_workers(2).to(&between).each(move |_, n| {
        nap(&first);
        Ok(n)
    });
    topology.io("any", &between).each(move |_, _| {
        nap(&second);
        Ok(())
    });
    let outcome = execute(topology, Options::new().max_workers(6).queue_limit(40), On::Threads)?;
    assert_eq!((outcome.done, gauges[0].most()), (40, 2));
    assert_eq!((outcome.works[1].max_workers, outcome.works[2].max_workers), (2, 6));
    Ok(())
}

#[test]
fn work_02_calls_wait_until_what_they_use_is_free() -> Result<(), Error> {
    let mut topology = Topology::new("resources");
    let numbers = numbers(&mut topology, 40);
    let (a, b) = (topology.queue::<usize>("a"), topology.queue::<usize>("b"));
    let gauge = Arc::new(Gauge::default());
    let (one, other) = (gauge.clone(), gauge.clone());
    topology.cpu("split", &numbers).to((&a, &b)).each(|_, n| Ok((n, n)));
    // Two works share the GPUs, of which one takes two at once.
    topology.io("small", &a).uses("gpu", 1).each(move |_, _| {
        nap(&one);
        Ok(())
    });
    topology.cpu("large", &b).uses("gpu", 2).uses("memory", 10).each(move |_, _| {
        other.enter();
        nap(&other);
        other.leave();
        Ok(())
    });
    let options = Options::new().max_workers(6).queue_limit(40).resource("gpu", 3).resource("memory", 1000);
    let outcome = execute(topology, options, On::Threads)?;
    assert_eq!(outcome.done, 80);
    assert!((2..=3).contains(&gauge.most()), "{} of 3", gauge.most());
    Ok(())
}

#[test]
fn work_03_a_resource_must_exist_and_suffice() {
    let topology = || {
        let mut topology = Topology::new("resources");
        let numbers = numbers(&mut topology, 1);
        topology.io("train", &numbers).uses("gpu", 2).each(|_, _| Ok(()));
        topology
    };
    let problems =
        |options| ExecutorAsync::new(topology(), options).map(|_| ()).expect_err("too little").problems;
    let (work, resource) = ("train".to_owned(), "gpu".to_owned());
    let unknown = Problem::UnknownResource { work: work.clone(), resource: resource.clone() };
    assert_eq!(problems(Options::new()), [unknown]);
    let little = Problem::TooLittle { work, resource, wanted: 2, available: 1 };
    assert_eq!(problems(Options::new().resource("gpu", 1)), [little]);
    assert!(ExecutorAsync::new(topology(), Options::new().resource("gpu", 2)).is_ok());
}

#[test]
fn work_04_the_work_with_the_higher_priority_starts() -> Result<(), Error> {
    for on in EVERYWHERE {
        for (low_first, priorities) in [(true, [0, 1]), (false, [1, 0]), (true, [-1, 0])] {
            let mut topology = Topology::new("priorities");
            let (a, b) = (topology.queue::<usize>("a"), topology.queue::<usize>("b"));
            topology.one_shot("fill", (), (&a, &b), |(), (a, b)| {
                (0..20).for_each(|n| a.push(n.to_string(), n));
                (0..20).for_each(|n| b.push(n.to_string(), n));
                Ok(())
            });
            let order = Arc::new(Mutex::new(Vec::new()));
            for (name, queue, priority) in [("a", &a, priorities[0]), ("b", &b, priorities[1])] {
                let order = order.clone();
                topology.io(name, queue).priority(priority).each(move |_, _| {
                    order.lock().unwrap().push(name);
                    Ok(())
                });
            }
            // One worker, so that there is an order.
            execute(topology, Options::new().max_workers(1), on)?;
            let order = order.lock().unwrap();
            let (first, last) = if low_first { ("b", "a") } else { ("a", "b") };
            assert_eq!((order[0], order[39]), (first, last), "{on:?} {priorities:?}");
        }
    }
    Ok(())
}

#[test]
fn work_05_what_has_failed_is_tried_again() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("again");
        let numbers = numbers(&mut topology, 3);
        let attempts = Arc::new(AtomicUsize::new(0));
        let counting = attempts.clone();
        let backoff = Backoff::exponential(0.001);
        // 0 fails always, 1 is not worth another attempt, 2 fails once.
        let failed_once = AtomicUsize::new(0);
        let fetch = topology.io("fetch", &numbers).retry(2, backoff);
        fetch.retry_if(|error| error.to_string() != "hopeless").each(move |_, n| {
            counting.fetch_add(1, SeqCst);
            match n {
                0 => Err("busy".into()),
                1 => Err("hopeless".into()),
                _ if failed_once.swap(1, SeqCst) == 0 => Err("busy".into()),
                _ => Ok(()),
            }
        });
        let outcome = execute(topology, Options::new().max_workers(1), on)?;
        assert_eq!((outcome.done, outcome.failed_count), (1, 2), "{on:?}");
        assert_eq!(attempts.load(SeqCst), 3 + 1 + 2, "{on:?}");
        let work = &outcome.works[1];
        assert_eq!((work.calls, work.failed, work.retries), (3, 2, 3), "{on:?}");
    }
    Ok(())
}

#[test]
fn work_06_a_panic_is_not_tried_again() -> Result<(), Error> {
    let mut topology = Topology::new("panic");
    let numbers = numbers(&mut topology, 1);
    topology.io("fail", &numbers).retry(5, Backoff::constant(1)).each(|_, _| panic!("a defect"));
    let outcome = execute(topology, Options::new(), On::Threads)?;
    assert_eq!((outcome.failed_count, outcome.works[1].retries), (1, 0));
    assert!(outcome.failed[0].1.is_panic());
    Ok(())
}

#[test]
fn work_07_a_run_that_is_ended_early_waits_for_no_further_attempt() -> Result<(), Error> {
    let mut topology = Topology::new("long wait");
    let numbers = numbers(&mut topology, 1);
    topology.io("fetch", &numbers).retry(1, Backoff::constant(600)).each(|_, _| Err("busy".into()));
    let executor = ExecutorAsync::new(topology, Options::new())?;
    let control = executor.control();
    thread::spawn(move || {
        thread::sleep(Duration::from_millis(50));
        control.stop();
    });
    let start = Instant::now();
    let outcome = terzetto::run(terzetto::fail_after(60.0, executor.run()))?;
    assert!(start.elapsed() < Duration::from_secs(30));
    assert_eq!(outcome.failed_count, 1, "its last error is the item's error");
    Ok(())
}

#[test]
fn work_08_a_queue_has_its_own_limit() -> Result<(), Error> {
    let mut topology = Topology::new("large");
    let numbers = numbers(&mut topology, 30);
    let large = topology.queue_with_limit::<usize>("large", 2);
    let most = Arc::new(AtomicUsize::new(0));
    let (seen, waiting) = (most.clone(), large.clone());
    topology.io("read", &numbers).to(&large).each(|_, n| Ok(n));
    topology.cpu("compute", &large).max_workers(1).each(move |_, _| {
        thread::sleep(Duration::from_millis(1));
        seen.fetch_max(waiting.len(), SeqCst);
        Ok(())
    });
    let outcome = execute(topology, Options::new().max_workers(4).queue_limit(16), On::Threads)?;
    assert_eq!((outcome.done, most.load(SeqCst)), (30, 2));
    Ok(())
}
