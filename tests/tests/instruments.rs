//! INST: instruments; SCHED-03: random order by seed; SCHED-09: an idle run sleeps.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};
use terzetto::{
    Builder, Error, Task, checkpoint,
    lowlevel::{Instrument, add_instrument, remove_instrument},
    nursery, sleep,
    sync::{Condition, Lock, ParkingLot},
    task_tree,
    testing::{MockClock, wait_all_tasks_blocked},
};
use terzetto_tests::run_mock;

/// Writes down all that it is told.
#[derive(Default)]
struct Recorder(RefCell<Vec<String>>);

impl Recorder {
    fn note(&self, what: &str, task: &Task) {
        self.0.borrow_mut().push(format!("{what} {}", task.name()));
    }
}

impl Instrument for Recorder {
    fn before_run(&self) {
        self.0.borrow_mut().push("before run".into());
    }
    fn after_run(&self) {
        self.0.borrow_mut().push("after run".into());
    }
    fn task_spawned(&self, task: &Task) {
        self.note("spawned", task);
    }
    fn task_scheduled(&self, task: &Task) {
        self.note("scheduled", task);
    }
    fn before_task_step(&self, task: &Task) {
        self.note("before", task);
    }
    fn after_task_step(&self, task: &Task) {
        self.note("after", task);
    }
    fn task_exited(&self, task: &Task) {
        self.note("exited", task);
    }
}

#[test]
fn inst_01_hooks_are_called_at_the_right_points() {
    let recorder = Rc::new(Recorder::default());
    Builder::new()
        .instrument(recorder.clone())
        .run(nursery(async |n| {
            n.start_soon_named("child", async { Ok(()) });
            Ok(())
        }))
        .unwrap();
    let lines = recorder.0.take();
    let expected = [
        "before run",
        "spawned main",
        "scheduled main",
        "before main",
        "spawned child",
        "scheduled child",
        "after main",
        "before child",
        "exited child",
        "after child",
        "before main",
        "exited main",
        "after main",
        "after run",
    ];
    let mut rest = lines.iter();
    for line in expected {
        // In this order; in between are those that wake the parent.
        assert!(rest.any(|other| other == line), "{line} in {lines:?}");
    }
    let count = |what: &str| lines.iter().filter(|line| line.starts_with(what)).count();
    assert_eq!(count("before ") - 1, count("after ") - 1);
}

/// Counts sleeps, and their time limits.
#[derive(Default)]
struct Waits(Cell<usize>, Cell<f64>);

impl Instrument for Waits {
    fn before_io_wait(&self, timeout: f64) {
        self.0.set(self.0.get() + usize::from(timeout > 0.0));
        self.1.set(self.1.get().max(timeout));
    }
}

#[test]
fn sched_09_an_idle_run_sleeps_until_its_next_deadline() {
    let waits = Rc::new(Waits::default());
    Builder::new()
        .instrument(waits.clone())
        .run(async {
            sleep(0.02).await?;
            Ok(())
        })
        .unwrap();
    // One sleep, and perhaps a second one for what the system's timer cut off.
    assert!((1..=3).contains(&waits.0.get()), "{}", waits.0.get());
    assert!(waits.1.get() <= 0.02);
}

#[test]
fn inst_02_instruments_come_and_go_while_running() {
    let recorder = Rc::new(Recorder::default());
    run_mock(async {
        checkpoint().await?;
        add_instrument(recorder.clone());
        add_instrument(recorder.clone());
        checkpoint().await?;
        let handle: Rc<dyn Instrument> = recorder.clone();
        assert!(remove_instrument(&handle));
        assert!(!remove_instrument(&handle));
        checkpoint().await?;
        Ok(())
    })
    .unwrap();
    let before = recorder.0.borrow().iter().filter(|line| *line == "before main").count();
    assert_eq!(before, 1, "{:?}", recorder.0.borrow());
}

struct Faulty;

impl Instrument for Faulty {
    fn before_task_step(&self, _task: &Task) {
        panic!("a hook that fails");
    }
}

#[test]
fn inst_03_a_hook_that_panics_is_removed_and_the_run_goes_on() {
    let faulty: Rc<dyn Instrument> = Rc::new(Faulty);
    let recorder = Rc::new(Recorder::default());
    run_mock(async {
        add_instrument(faulty.clone());
        add_instrument(recorder.clone());
        checkpoint().await?;
        assert!(!remove_instrument(&faulty));
        checkpoint().await?;
        Ok(())
    })
    .unwrap();
    assert_eq!(recorder.0.borrow().iter().filter(|line| *line == "before main").count(), 2);
}

/// The order in which twenty tasks of one batch run.
/// Knows one hook only.
#[derive(Default)]
struct Exits(RefCell<Vec<String>>);

impl Instrument for Exits {
    fn task_exited(&self, task: &Task) {
        self.0.borrow_mut().push(task.name().to_owned());
    }
}

#[test]
fn inst_04_hooks_that_are_not_implemented_do_nothing() {
    // What each hook costs is counted in instructions: see benches/README.md.
    let exits = Rc::new(Exits::default());
    let main = || {
        nursery(async |n| {
            n.start_soon_named("child", async { Ok(checkpoint().await?) });
            sleep(0.001).await?;
            Ok(())
        })
    };
    Builder::new().instrument(exits.clone()).run(main()).unwrap();
    assert_eq!(exits.0.take(), ["child", "main"]);
    Builder::new().run(main()).unwrap();
    assert!(exits.0.take().is_empty(), "it was installed in another run");
}

#[test]
fn inst_01_the_word_for_a_wait_is_that_of_the_tree() {
    /// Notes what tasks wait in.
    #[derive(Default)]
    struct Waits(RefCell<Vec<String>>);
    impl Instrument for Waits {
        fn task_blocked(&self, task: &Task, what: &'static str) {
            self.0.borrow_mut().push(format!("{}, {what}", task.name()));
        }
    }
    let waits = Rc::new(Waits::default());
    run_mock(async {
        let (lock, condition, lot) = (Lock::new(), Condition::new(), ParkingLot::new());
        nursery(async |n| {
            let held = lock.acquire().await?;
            add_instrument(waits.clone());
            n.start_soon_named("locked", async { Ok(lock.acquire().await.map(drop)?) });
            n.start_soon_named("condition", async {
                let mut held = condition.acquire().await?;
                Ok(condition.wait(&mut held).await?)
            });
            n.start_soon_named("lot", async { Ok(lot.park().await?) });
            wait_all_tasks_blocked(0.0).await?;
            let tree = task_tree();
            for waits in waits.0.borrow().iter().filter(|waits| !waits.starts_with("main")) {
                let (name, what) = waits.split_once(", ").unwrap();
                let of_task = tree.lines().find(|line| line.contains(&format!(" {name} ("))).unwrap();
                assert!(of_task.ends_with(&format!(", {what}")), "{waits}; {tree}");
            }
            n.cancel_scope().cancel();
            drop(held);
            Ok(())
        })
        .await
    })
    .unwrap();
    let waits = waits.0.take();
    assert!(waits.contains(&"locked, waiting for a lock".to_owned()), "{waits:?}");
    assert!(waits.contains(&"lot, parked".to_owned()), "{waits:?}");
}

fn order(seed: Option<u64>) -> Vec<usize> {
    let order = RefCell::new(Vec::new());
    let mut builder = Builder::new().clock(MockClock::autojump());
    if let Some(seed) = seed {
        builder = builder.seed(seed);
    }
    let order_ref = &order;
    builder
        .run(nursery(async |n| {
            for i in 0..20 {
                n.start_soon(async move {
                    order_ref.borrow_mut().push(i);
                    Ok::<_, Error>(())
                });
            }
            Ok(())
        }))
        .unwrap();
    order.into_inner()
}

#[test]
fn sched_03_a_seed_makes_the_order_random_and_repeatable() {
    let orders: Vec<_> = (0..5).map(|seed| order(Some(seed))).collect();
    for (seed, found) in orders.iter().enumerate() {
        assert_eq!(found, &order(Some(seed as u64)));
        let mut sorted = found.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, (0..20).collect::<Vec<_>>());
    }
    assert!(orders.windows(2).any(|pair| pair[0] != pair[1]));
}
