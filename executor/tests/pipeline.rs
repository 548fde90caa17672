//! Topologies at work: order, bounds, errors, panics, joins, early ends.

mod common;

use std::{
    cell::RefCell,
    rc::Rc,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

use terzetto::Error;
use terzetto_executor::{
    Control, Ending, ExecutorAsync, Item, ItemError, Key, Observer, OneShotError, Options, Outcome, Queue,
    Topology,
};

use common::gauge::{Counted, Gauge};

fn execute(topology: Topology, options: Options) -> Result<Outcome, Error> {
    let executor = ExecutorAsync::new(topology, options)?;
    // If a run hangs, its test must fail and not hang, too.
    terzetto::run(terzetto::fail_after(30.0, executor.run()))
}

fn small() -> Options {
    Options::new().max_workers(2).queue_limit(2)
}

/// A one-shot work that fills `queue` with the numbers from 0.
fn fill_numbers(topology: &mut Topology, queue: &Queue<usize>, count: usize) {
    topology.one_shot("fill", (), queue, move |(), queue| {
        for n in 0..count {
            queue.push(n.to_string(), n);
        }
        Ok(())
    });
}

fn values<T>(items: Vec<Item<T>>) -> Vec<T> {
    items.into_iter().map(|(_, value)| value.expect("no error")).collect()
}

#[test]
fn every_item_goes_through_every_work() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<usize>("numbers");
    let doubles = topology.queue::<usize>("doubles");
    let texts = topology.results::<String>("texts");
    fill_numbers(&mut topology, &numbers, 500);
    topology.cpu("double", &numbers).to(&doubles).each(|_, n| Ok(2 * n));
    topology.io("write", &doubles).to(&texts).each(|key, n| Ok(format!("{key}:{n}")));
    let outcome = execute(topology, Options::new())?;
    assert_eq!((outcome.done, outcome.failed.len(), outcome.ending), (500, 0, Ending::Finished));
    let mut found = values(texts.drain());
    found.sort();
    let mut expected: Vec<_> = (0..500).map(|n| format!("{n}:{}", 2 * n)).collect();
    expected.sort();
    assert_eq!(found, expected);
    Ok(())
}

#[test]
fn one_worker_keeps_the_order_of_arrival() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<usize>("numbers");
    let doubles = topology.queue::<usize>("doubles");
    let results = topology.results::<usize>("results");
    fill_numbers(&mut topology, &numbers, 100);
    topology.cpu("double", &numbers).to(&doubles).each(|_, n| Ok(2 * n));
    topology.cpu("halve", &doubles).to(&results).each(|_, n| Ok(n / 2));
    execute(topology, Options::new().max_workers(1))?;
    assert_eq!(values(results.drain()), (0..100).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn one_shot_works_run_first_and_in_the_order_of_the_flow() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let names = topology.queue::<&'static str>("names");
    let lengths = topology.queue::<usize>("lengths");
    let results = topology.results::<usize>("results");
    let seen = Rc::new(RefCell::new(Vec::new()));
    // Declared against the flow, to see that the flow decides.
    topology.cpu("pass", &lengths).to(&results).each(|_, n| Ok(n));
    let log = seen.clone();
    topology.one_shot("measure", &names, &lengths, move |names, lengths| {
        for (key, name) in names.drain() {
            log.borrow_mut().push("measure");
            lengths.push(key, name?.len());
        }
        Ok(())
    });
    let log = seen.clone();
    topology.one_shot("name", (), &names, move |(), names| {
        log.borrow_mut().push("name");
        names.push("a", "terzetto");
        Ok(())
    });
    execute(topology, small())?;
    assert_eq!(*seen.borrow(), ["name", "measure"]);
    assert_eq!(values(results.drain()), [8]);
    Ok(())
}

#[test]
fn a_one_shot_work_that_fails_or_panics_ends_the_run_by_name() {
    for panics in [false, true] {
        let mut topology = Topology::new("test");
        let numbers = topology.queue::<usize>("numbers");
        topology.one_shot("list files", (), &numbers, move |(), _| {
            assert!(!panics, "lost");
            Err("no such folder".into())
        });
        topology.io("read", &numbers).each(|_, _| Ok(()));
        let error = execute(topology, small()).expect_err("it failed");
        let error = error.downcast_ref::<OneShotError>().expect("a one-shot error");
        assert_eq!(error.work(), "list files");
        let text = if panics { "it panicked: lost" } else { "no such folder" };
        assert_eq!(error.to_string(), format!("one-shot work `list files` failed: {text}"));
    }
}

#[test]
fn works_without_output_are_ends() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<usize>("numbers");
    fill_numbers(&mut topology, &numbers, 20);
    let sum = Arc::new(AtomicUsize::new(0));
    let total = sum.clone();
    topology.io("add", &numbers).each(move |_, n| {
        total.fetch_add(n, SeqCst);
        Ok(())
    });
    let outcome = execute(topology, small())?;
    assert_eq!((outcome.done, sum.load(SeqCst)), (20, 190));
    Ok(())
}

#[test]
fn an_empty_series_is_done_at_once() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<usize>("numbers");
    fill_numbers(&mut topology, &numbers, 0);
    topology.io("never", &numbers).each(|_, _| Ok(()));
    let outcome = execute(topology, small())?;
    assert_eq!((outcome.done, outcome.ending), (0, Ending::Finished));
    Ok(())
}

#[test]
fn errors_and_panics_travel_untouched_past_later_works() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<usize>("numbers");
    let checked = topology.queue::<usize>("checked");
    let results = topology.results::<usize>("results");
    fill_numbers(&mut topology, &numbers, 10);
    topology.cpu("check", &numbers).to(&checked).each(|_, n| match n {
        3 => Err("three is out".into()),
        7 => panic!("seven is worse"),
        n => Ok(n),
    });
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    topology.io("pass", &checked).to(&results).each(move |_, n| {
        counter.fetch_add(1, SeqCst);
        Ok(n)
    });
    let outcome = execute(topology, small())?;
    assert_eq!((outcome.done, calls.load(SeqCst)), (8, 8));
    let mut texts: Vec<String> =
        outcome.failed.iter().map(|(key, error)| format!("{key}: {error}")).collect();
    texts.sort();
    assert_eq!(
        texts,
        ["3: work `check` failed on `3`: three is out", "7: work `check` panicked on `7`: seven is worse"]
    );
    let panics: Vec<bool> = outcome.failed.iter().map(|(_, error)| error.is_panic()).collect();
    assert!(panics.contains(&true) && panics.contains(&false));
    // The queue of results holds the errors in their items' places.
    assert_eq!(results.drain().iter().filter(|(_, value)| value.is_err()).count(), 2);
    Ok(())
}

#[test]
fn stop_if_error_ends_the_run_with_that_error() {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<usize>("numbers");
    fill_numbers(&mut topology, &numbers, 1000);
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = calls.clone();
    topology.cpu("check", &numbers).each(move |_, n| {
        counter.fetch_add(1, SeqCst);
        if n == 5 { Err("five".into()) } else { Ok(()) }
    });
    let error = execute(topology, small().stop_if_error(true)).expect_err("it stops");
    let error = error.find::<ItemError>().expect("the item's error");
    assert_eq!((error.key().as_str(), error.work()), ("5", "check"));
    // The other worker may have been a few items ahead, no more.
    assert!(calls.load(SeqCst) < 100, "{}", calls.load(SeqCst));
}

#[test]
fn workers_of_each_kind_are_limited_apart() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<usize>("numbers");
    let read = topology.queue::<usize>("read");
    fill_numbers(&mut topology, &numbers, 60);
    let (io, cpu) = (Arc::new(Gauge::default()), Arc::new(Gauge::default()));
    let work = |gauge: &Arc<Gauge>| {
        let gauge = gauge.clone();
        move |_: &Key, n: usize| {
            gauge.enter();
            thread::sleep(Duration::from_millis(2));
            gauge.leave();
            Ok(n)
        }
    };
    topology.io("read", &numbers).to(&read).each(work(&io));
    let compute = work(&cpu);
    topology.cpu("compute", &read).each(move |key, n| compute(key, n).map(|_| ()));
    execute(topology, Options::new().max_workers(3))?;
    assert_eq!((io.most(), cpu.most()), (3, 3));
    Ok(())
}

/// The end is slow, so that everything before it would pile up without bounds.
#[test]
fn queues_stay_within_their_limit() -> Result<(), Error> {
    for limit in [1, 2, 5] {
        let mut topology = Topology::new("test");
        let numbers = topology.queue::<usize>("numbers");
        let first = topology.queue::<Counted>("first");
        let second = topology.queue::<Counted>("second");
        fill_numbers(&mut topology, &numbers, 60);
        let gauge = Arc::new(Gauge::default());
        let counted = gauge.clone();
        topology.io("make", &numbers).to(&first).each(move |_, n| Ok(Counted::new(n, &counted)));
        topology.cpu("pass", &first).to(&second).each(|_, value| Ok(value));
        topology.io("end", &second).each(|_, value| {
            thread::sleep(Duration::from_millis(1));
            drop(value);
            Ok(())
        });
        let workers = 2;
        let options = Options::new().max_workers(workers).queue_limit(limit);
        let outcome = execute(topology, options)?;
        assert_eq!(outcome.done, 60);
        // Items on their way into a queue hold a place in it; on their way to the end they do not.
        let most = 2 * limit + workers;
        assert!(gauge.most() <= most, "limit {limit}: {} items, at most {most}", gauge.most());
        assert_eq!(gauge.now.load(SeqCst), 0);
    }
    Ok(())
}

#[test]
fn downstream_works_go_first() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<usize>("numbers");
    let middle = topology.queue::<usize>("middle");
    fill_numbers(&mut topology, &numbers, 5);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = seen.clone();
    topology.cpu("up", &numbers).to(&middle).each(move |_, n| {
        log.lock().expect("no panic").push(format!("up {n}"));
        Ok(n)
    });
    let log = seen.clone();
    topology.cpu("down", &middle).each(move |_, n| {
        log.lock().expect("no panic").push(format!("down {n}"));
        Ok(())
    });
    // One worker for both: each item must leave before the next enters. A longer queue would let
    // works as quick as these take several items at once.
    execute(topology, Options::new().max_workers(1).queue_limit(1))?;
    let expected: Vec<_> = (0..5).flat_map(|n| [format!("up {n}"), format!("down {n}")]).collect();
    assert_eq!(*seen.lock().expect("no panic"), expected);
    Ok(())
}

/// Ends the run when a given number of items has arrived.
struct EndAfter(usize, Control, bool, AtomicUsize);

impl Observer for EndAfter {
    fn arrived(&self, _: &Key, _: Option<&ItemError>) {
        if self.3.fetch_add(1, SeqCst) + 1 == self.0 {
            if self.2 { self.1.cancel() } else { self.1.stop() }
        }
    }
}

#[test]
fn stop_and_cancel_end_a_run_early() -> Result<(), Error> {
    for cancel in [false, true] {
        let mut topology = Topology::new("test");
        let numbers = topology.queue::<usize>("numbers");
        fill_numbers(&mut topology, &numbers, 1000);
        let started = Arc::new(AtomicUsize::new(0));
        let counter = started.clone();
        topology.cpu("work", &numbers).each(move |_, _| {
            counter.fetch_add(1, SeqCst);
            Ok(())
        });
        let mut executor = ExecutorAsync::new(topology, small())?;
        let control = executor.control();
        executor.observe(EndAfter(10, control, cancel, AtomicUsize::new(0)));
        let outcome = terzetto::run(executor.run())?;
        let ending = if cancel { Ending::Cancelled } else { Ending::Stopped };
        assert_eq!(outcome.ending, ending);
        assert!((10..20).contains(&outcome.done), "{}", outcome.done);
        // What was started was finished and counted.
        if !cancel {
            assert_eq!(outcome.done, started.load(SeqCst));
        }
    }
    Ok(())
}

/// A door that works wait at.
#[derive(Default)]
struct Door(Mutex<bool>, Condvar);

impl Door {
    fn pass(&self) {
        let open = self.0.lock().expect("no panic");
        drop(self.1.wait_while(open, |open| !*open).expect("no panic"));
    }

    fn open(&self) {
        *self.0.lock().expect("no panic") = true;
        self.1.notify_all();
    }
}

#[test]
fn a_scope_around_the_run_cancels_it_and_waits_for_its_threads() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<usize>("numbers");
    fill_numbers(&mut topology, &numbers, 100);
    let inside = Arc::new(Gauge::default());
    let gauge = inside.clone();
    let door = Arc::new(Door::default());
    let closed = door.clone();
    topology.io("wait", &numbers).each(move |_, _| {
        gauge.enter();
        closed.pass();
        gauge.leave();
        Ok(())
    });
    let executor = ExecutorAsync::new(topology, small())?;
    // Cancelled when both threads are at work, which stay there for a while.
    let scope = terzetto::CancelScope::new();
    let (mut ran, mut opener) = (None, None);
    terzetto::run(terzetto::nursery(async |n| {
        n.start_soon(async {
            while inside.now.load(SeqCst) < 2 {
                terzetto::sleep(0.001).await?;
            }
            scope.cancel();
            opener = Some(thread::spawn(move || {
                thread::sleep(Duration::from_millis(50));
                door.open();
            }));
            Ok(())
        });
        ran = scope.run(executor.run()).await?;
        Ok(())
    }))?;
    assert!(ran.is_none() && scope.cancelled_caught());
    assert_eq!((inside.most(), inside.now.load(SeqCst)), (2, 0));
    opener.map(thread::JoinHandle::join).transpose().expect("no panic");
    Ok(())
}

/// Thousands of items a second: a loop that slept between two starts could not.
#[test]
fn loops_wake_on_events() -> Result<(), Error> {
    let mut topology = Topology::new("test");
    let numbers = topology.queue::<usize>("numbers");
    let passed = topology.queue::<usize>("passed");
    fill_numbers(&mut topology, &numbers, 5000);
    topology.io("pass", &numbers).to(&passed).each(|_, n| Ok(n));
    topology.cpu("end", &passed).each(|_, _| Ok(()));
    let outcome = execute(topology, small())?;
    let rate = outcome.done as f64 / outcome.elapsed.as_secs_f64();
    println!("{rate:.0} items a second through two works");
    assert!(rate > 1000.0, "{rate}");
    Ok(())
}
