//! Whatever becomes of an item, it is counted and named, or the run has an error.

mod common;

use std::{thread, time::Duration};

use terzetto::Error;
use terzetto_executor::{
    Ending, ExecutorAsync, ExecutorSequential, Key, Moment, OneShotError, Options, Outcome, Stalled, Topology,
};

use common::executors::{EVERYWHERE, On, execute_within};

fn execute(topology: Topology, options: Options, on: On) -> Result<Outcome, Error> {
    execute_within(60.0, topology, options, on)
}

fn small() -> Options {
    Options::new().max_workers(2).queue_limit(3)
}

fn numbers(count: usize) -> impl Iterator<Item = (String, usize)> {
    (0..count).map(|n| (n.to_string(), n))
}

/// The errors of a run as text, in order.
fn failed(outcome: &Outcome) -> Vec<String> {
    let mut texts: Vec<String> =
        outcome.failed.iter().map(|(key, error)| format!("{key}: {error}")).collect();
    texts.sort();
    texts
}

#[test]
fn a_run_in_which_all_went_well_is_complete() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("well");
        let start = topology.queue::<usize>("start");
        topology.source("count", &start, numbers(20));
        topology.cpu("end", &start).each(|_, _| Ok(()));
        let outcome = execute(topology, small().expected_results(20), on)?;
        assert!(outcome.is_complete(), "{on:?}: {outcome:?}");
    }
    Ok(())
}

#[test]
fn an_error_of_a_global_work_is_an_error_of_the_run() -> Result<(), Error> {
    for on in EVERYWHERE {
        for (panics, last) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut topology = Topology::new("broken");
            let images = topology.queue::<usize>("images");
            let ends = topology.results::<usize>("ends");
            topology.source("count", &images, numbers(1));
            topology.global("gather", &images, &ends, move |images, _, moment| {
                let any = images.pop().is_some();
                if (moment == Moment::End && last) || (any && !last) {
                    assert!(!panics, "torn");
                    return Err("torn".into());
                }
                Ok(())
            });
            let outcome = execute(topology, small(), on)?;
            let how = if panics { "panicked" } else { "failed" };
            let text = format!("work `gather` {how} on `gather`: torn");
            assert_eq!(outcome.ending, Ending::Failed, "{on:?} {text}");
            assert_eq!(failed(&outcome), [format!("gather: {text}")], "{on:?}");
            assert_eq!(outcome.errors.iter().map(ToString::to_string).collect::<Vec<_>>(), [text]);
            assert!(!outcome.is_complete());
        }
    }
    Ok(())
}

#[test]
fn a_source_that_panics_is_an_error_of_the_run() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("broken");
        let (start, other) = (topology.queue::<usize>("start"), topology.queue::<usize>("other"));
        let pairs = topology.results::<(usize, usize)>("pairs");
        topology.source("count", &start, numbers(9).inspect(|(_, n)| assert!(*n < 5, "no more")));
        topology.source("count too", &other, numbers(9));
        topology.cpu("pair", (&start, &other)).to(&pairs).each(|_, pair| Ok(pair));
        let outcome = execute(topology, small(), on)?;
        assert_eq!((outcome.ending, outcome.done), (Ending::Failed, 5), "{on:?}");
        // Its own error, and the four that it left alone.
        assert_eq!((outcome.failed.len(), outcome.errors.len()), (5, 1), "{on:?}");
        assert_eq!(outcome.errors[0].to_string(), "work `count` panicked on `count`: no more");
    }
    Ok(())
}

#[test]
fn a_one_shot_work_that_fails_is_an_error_of_the_run() {
    for on in EVERYWHERE {
        for panics in [false, true] {
            let mut topology = Topology::new("broken");
            let start = topology.queue::<usize>("start");
            topology.one_shot("fill", (), &start, move |(), _| {
                assert!(!panics, "torn");
                Err("torn".into())
            });
            topology.cpu("end", &start).each(|_, _| Ok(()));
            let error = execute(topology, small(), on).expect_err("it cannot begin");
            let error = error.downcast_ref::<OneShotError>().expect("its error");
            assert!(error.work() == "fill" && error.to_string().ends_with("torn"), "{error}");
        }
    }
}

#[test]
fn an_error_that_a_global_work_takes_and_drops_is_counted_and_named() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("careless");
        let (paths, images) = (topology.queue::<usize>("paths"), topology.queue::<usize>("images"));
        let sums = topology.results::<usize>("sums");
        topology.source("count", &paths, numbers(6));
        topology.io("read", &paths).to(&images).each(|_, n| match n {
            2 => Err("torn".into()),
            4 => panic!("lost"),
            n => Ok(n),
        });
        let mut sum = 0;
        topology.global("sum", &images, &sums, move |images, sums, moment| {
            sum += images.drain().into_iter().filter_map(|(_, n)| n.ok()).sum::<usize>();
            if moment == Moment::End {
                sums.push("sum", sum);
            }
            Ok(())
        });
        let outcome = execute(topology, small(), on)?;
        let texts = ["2: work `read` failed on `2`: torn", "4: work `read` panicked on `4`: lost"];
        assert_eq!(failed(&outcome), texts, "{on:?}");
        assert_eq!((outcome.done, outcome.ending), (1, Ending::Finished));
        assert!(!outcome.is_complete());
        let gathered = &outcome.gathered[0];
        assert_eq!((&*gathered.work, gathered.taken, gathered.made), ("sum", 6, 1), "{on:?}");
        assert_eq!(sums.drain().pop().and_then(|(_, sum)| sum.ok()), Some(1 + 3 + 5));
    }
    Ok(())
}

/// It is told once, as the work's, and not as the item's again.
#[test]
fn an_error_that_a_global_work_returns_is_not_counted_twice() -> Result<(), Error> {
    let mut topology = Topology::new("careful");
    let (paths, images) = (topology.queue::<usize>("paths"), topology.queue::<usize>("images"));
    topology.source("count", &paths, numbers(1));
    topology.io("read", &paths).to(&images).each(|_, _| Err("torn".into()));
    topology.global("sum", &images, (), |images, (), _| {
        while let Some((_, n)) = images.pop() {
            n?;
        }
        Ok(())
    });
    let outcome = execute(topology, small(), On::Threads)?;
    assert_eq!(failed(&outcome), ["sum: work `sum` failed on `sum`: work `read` failed on `0`: torn"]);
    Ok(())
}

#[test]
fn a_filter_shows_how_much_it_drops() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("filter");
        let (all, some) = (topology.queue::<usize>("all"), topology.queue::<usize>("some"));
        topology.source("count", &all, numbers(30));
        topology.global("odd ones", &all, &some, |all, some, _| {
            while some.room() > 0
                && let Some((key, n)) = all.pop()
            {
                match n? {
                    n if n % 2 == 1 => some.push(key, n),
                    _ => {}
                }
            }
            Ok(())
        });
        topology.cpu("end", &some).each(|_, _| Ok(()));
        let outcome = execute(topology, small().expected_results(30), on)?;
        let gathered = &outcome.gathered[0];
        assert_eq!((gathered.taken, gathered.made, outcome.done), (30, 15, 15), "{on:?}");
        assert_eq!((outcome.missing, outcome.is_complete()), (15, false), "they were expected");
    }
    Ok(())
}

#[test]
fn parts_that_no_group_wants_or_that_come_twice_are_named() -> Result<(), Error> {
    for on in EVERYWHERE {
        for order in
            [["a", "stray", "a", "b", "b"], ["b", "b", "a", "a", "stray"], ["stray", "b", "a", "a", "b"]]
        {
            for at_once in [false, true] {
                let mut topology = Topology::new("parts");
                let groups = topology.queue::<[Key; 2]>("groups");
                let parts = topology.queue::<usize>("parts");
                let made = topology.results::<[usize; 2]>("made");
                topology.one_shot("fill", (), &groups, |(), groups| {
                    groups.push("a-b", [Key::from("a"), Key::from("b")]);
                    Ok(())
                });
                if at_once {
                    topology.one_shot("list", (), &parts, move |(), parts| {
                        order.into_iter().zip(0..).for_each(|(key, value)| parts.push(key, value));
                        Ok(())
                    });
                } else {
                    topology.source("list", &parts, order.into_iter().zip(0..));
                }
                topology.join("couple", &groups, &parts).to(&made);
                let outcome = execute(topology, small(), on)?;
                let mut unused: Vec<_> = outcome.unused.iter().map(|unused| unused.key.to_string()).collect();
                unused.sort();
                assert_eq!(
                    (outcome.done, unused),
                    (1, vec!["a".into(), "b".into(), "stray".into()]),
                    "{on:?} {order:?}"
                );
                assert!(
                    outcome.unused.iter().all(|unused| unused.work == "couple") && !outcome.is_complete()
                );
            }
        }
    }
    Ok(())
}

#[test]
fn an_error_of_a_part_that_no_group_wants_is_counted() -> Result<(), Error> {
    let mut topology = Topology::new("parts");
    let groups = topology.queue::<[Key; 2]>("groups");
    let (paths, parts) = (topology.queue::<usize>("paths"), topology.queue::<usize>("parts"));
    let made = topology.results::<[usize; 2]>("made");
    topology.one_shot("fill", (), &groups, |(), groups| {
        groups.push("0-1", [Key::from("0"), Key::from("1")]);
        Ok(())
    });
    topology.source("list", &paths, numbers(3));
    topology.io("read", &paths).to(&parts).each(|_, n| if n == 2 { Err("torn".into()) } else { Ok(n) });
    topology.join("couple", &groups, &parts).to(&made);
    let outcome = execute(topology, small(), On::Threads)?;
    assert_eq!(outcome.done, 1);
    assert_eq!(failed(&outcome), ["2: work `read` failed on `2`: torn"]);
    Ok(())
}

#[test]
fn items_of_one_key_are_all_counted() -> Result<(), Error> {
    let mut topology = Topology::new("twins");
    let start = topology.queue::<usize>("start");
    let ends = topology.results::<usize>("ends");
    topology.source("count", &start, (0..6).map(|n| ("twin", n)));
    topology.cpu("pass", &start).to(&ends).each(|_, n| if n == 3 { Err("torn".into()) } else { Ok(n) });
    let outcome = execute(topology, small(), On::Threads)?;
    assert_eq!((outcome.done, outcome.failed.len(), ends.len()), (5, 1, 6));
    Ok(())
}

#[test]
fn results_of_one_shot_works_are_counted() -> Result<(), Error> {
    let mut topology = Topology::new("at once");
    let ends = topology.results::<usize>("ends");
    topology.one_shot("fill", (), &ends, |(), ends| {
        (0..4).for_each(|n| ends.push(n.to_string(), n));
        Ok(())
    });
    assert_eq!(execute(topology, small(), On::Threads)?.done, 4);
    Ok(())
}

#[test]
fn what_was_under_way_when_a_run_was_ended_is_named() -> Result<(), Error> {
    for on in EVERYWHERE {
        for (cancels, ending) in [(false, Ending::Stopped), (true, Ending::Cancelled)] {
            let mut topology = Topology::new("cut");
            let [start, middle, other] =
                ["start", "middle", "other"].map(|name| topology.queue::<usize>(name));
            let pairs = topology.results::<(usize, usize)>("pairs");
            topology.source("count", &start, numbers(100));
            // Nothing of this one has a partner before the run ends.
            topology.source("count too", &other, (100..200).map(|n| (n.to_string(), n)));
            let (sender, receiver) = std::sync::mpsc::channel::<terzetto_executor::Control>();
            let receiver = std::sync::Mutex::new(receiver);
            topology.cpu("pass", &start).to(&middle).each(move |_, n| {
                if n == 10 {
                    let control = receiver.lock().expect("no panic").recv().expect("it was sent");
                    if cancels { control.cancel() } else { control.stop() }
                }
                Ok(n)
            });
            topology.cpu("pair", (&middle, &other)).to(&pairs).each(|_, pair| Ok(pair));
            let options = small();
            let ran = match on {
                On::NoLoop => {
                    let executor = ExecutorSequential::new(topology, options)?;
                    sender.send(executor.control()).expect("it is received");
                    executor.run()
                }
                _ => {
                    let executor = match on {
                        On::Threads => ExecutorAsync::new(topology, options)?,
                        _ => ExecutorAsync::on_one_thread(topology, options)?,
                    };
                    sender.send(executor.control()).expect("it is received");
                    terzetto::run(terzetto::fail_after(60.0, executor.run()))
                }
            };
            let outcome = ran?;
            assert_eq!((outcome.ending, outcome.done), (ending, 0), "{on:?}");
            let places: Vec<&str> = outcome.unfinished.iter().map(|place| &*place.at).collect();
            assert!(
                places.contains(&"join middle + other") && places.contains(&"count"),
                "{on:?}: {places:?}"
            );
            let keys = outcome.unfinished.iter().flat_map(|place| &place.keys);
            let mut first: Vec<usize> =
                keys.filter_map(|key| key.as_str().parse().ok()).filter(|n| *n < 11).collect();
            first.sort();
            assert_eq!(first, (0..11).collect::<Vec<_>>(), "{on:?}: what was listed is somewhere");
            assert!(!outcome.is_complete());
        }
    }
    Ok(())
}

#[test]
fn a_stall_tells_the_errors_before_it() {
    let mut topology = Topology::new("lazy");
    let images = topology.queue::<usize>("images");
    let windows = topology.results::<usize>("windows");
    topology.source("count", &images, numbers(2));
    topology.global("sleep", &images, &windows, |_, _, moment| match moment {
        Moment::End => Err("tired".into()),
        _ => Ok(()),
    });
    let error = execute(topology, small(), On::Threads).expect_err("it stalls");
    let stalled = error.downcast_ref::<Stalled>().expect("a stall");
    assert_eq!(
        stalled.to_string(),
        "no work can go on, but items wait in queue `images` (2); before that, work `sleep` failed on `sleep`: tired"
    );
    assert_eq!(stalled.errors().len(), 1);
}

#[test]
fn fewer_items_than_expected_are_missing() -> Result<(), Error> {
    let mut topology = Topology::new("short");
    let start = topology.queue::<usize>("start");
    topology.source("count", &start, numbers(3));
    topology.cpu("end", &start).each(|_, n| if n == 0 { Err("torn".into()) } else { Ok(()) });
    let outcome = execute(topology, small().expected_results(5), On::Threads)?;
    assert_eq!((outcome.done, outcome.failed.len(), outcome.missing), (2, 1, 2));
    Ok(())
}

#[test]
fn a_panic_of_an_observer_ends_the_run_as_a_panic() {
    struct Broken;
    impl terzetto_executor::Observer for Broken {
        fn arrived(&self, _: &Key, _: Option<&terzetto_executor::ItemError>) {
            panic!("nobody looks");
        }
    }
    let mut topology = Topology::new("watched");
    let start = topology.queue::<usize>("start");
    topology.source("count", &start, numbers(3));
    topology.io("end", &start).each(|_, _| {
        thread::sleep(Duration::from_millis(1));
        Ok(())
    });
    let mut executor = ExecutorAsync::new(topology, small()).expect("sound");
    executor.observe(Broken);
    let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| terzetto::run(executor.run())));
    assert!(!matches!(ran, Ok(Ok(_))), "it must not pass for a run that went well");
}

#[test]
fn a_global_work_without_inputs_is_called_and_its_error_is_told() -> Result<(), Error> {
    for on in EVERYWHERE {
        let mut topology = Topology::new("once");
        let ends = topology.results::<usize>("ends");
        topology.global("once", (), &ends, |(), ends, moment| {
            ends.push("one", usize::from(moment == Moment::End));
            Err("torn".into())
        });
        let outcome = execute(topology, small(), on)?;
        assert_eq!((outcome.ending, outcome.done, outcome.errors.len()), (Ending::Failed, 1, 1), "{on:?}");
    }
    Ok(())
}

#[test]
fn with_stop_if_error_an_error_of_a_global_work_or_a_source_ends_the_run() {
    for on in EVERYWHERE {
        for source in [false, true] {
            let mut topology = Topology::new("broken");
            let start = topology.queue::<usize>("start");
            topology.source(
                "count",
                &start,
                numbers(9).inspect(move |(_, n)| assert!(!source || *n < 5, "no more")),
            );
            topology.global("gather", &start, (), move |start, (), _| {
                start.drain();
                if source { Ok(()) } else { Err("torn".into()) }
            });
            let error = execute(topology, small().stop_if_error(true), on).expect_err("it ends the run");
            let text = if source { "panicked on `count`: no more" } else { "failed on `gather`: torn" };
            assert!(error.to_string().contains(text), "{on:?}: {error}");
        }
    }
}
