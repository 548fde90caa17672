//! trio's `test_instrumentation`: what instruments are told, when, and where they are told it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};
use terzetto::{
    Builder, CancelScope, Error, Task, checkpoint, current_task,
    lowlevel::{
        Instrument, add_instrument, in_run, in_task, main_task, remove_instrument, spawn_system_task,
    },
    nursery, sleep,
    testing::{MockClock, wait_all_tasks_blocked},
};
use terzetto_tests::run_mock;

#[derive(Debug, Clone, PartialEq)]
enum Told {
    BeforeRun,
    Scheduled(Task),
    Before(Task),
    After(Task),
    AfterRun,
}

/// Writes down what it is told. The task of a step is the current one, from its beginning to its end.
#[derive(Default)]
struct Recorder(RefCell<Vec<Told>>);

impl Recorder {
    fn of(&self, task: &Task) -> Vec<Told> {
        let is_of = |told: &&Told| match told {
            Told::Scheduled(other) | Told::Before(other) | Told::After(other) => other == task,
            Told::BeforeRun | Told::AfterRun => true,
        };
        self.0.borrow().iter().filter(is_of).cloned().collect()
    }
}

impl Instrument for Recorder {
    fn before_run(&self) {
        self.0.borrow_mut().push(Told::BeforeRun);
    }
    fn task_scheduled(&self, task: &Task) {
        self.0.borrow_mut().push(Told::Scheduled(task.clone()));
    }
    fn before_task_step(&self, task: &Task) {
        assert_eq!(*task, current_task());
        self.0.borrow_mut().push(Told::Before(task.clone()));
    }
    fn after_task_step(&self, task: &Task) {
        assert_eq!(*task, current_task());
        self.0.borrow_mut().push(Told::After(task.clone()));
    }
    fn after_run(&self) {
        self.0.borrow_mut().push(Told::AfterRun);
    }
}

/// A step of a task that has yielded.
fn step(task: &Task) -> [Told; 3] {
    [Told::Before(task.clone()), Told::Scheduled(task.clone()), Told::After(task.clone())]
}

#[test]
fn trio_instruments() {
    let [one, two, three] = [(); 3].map(|()| Rc::new(Recorder::default()));
    let child = RefCell::new(None);
    let main = nursery(async |n| {
        n.start_soon(async {
            *child.borrow_mut() = Some(current_task());
            for _ in 0..4 {
                checkpoint().await?;
            }
            let handle: Rc<dyn Instrument> = two.clone();
            assert!(remove_instrument(&handle) && !remove_instrument(&handle));
            add_instrument(three.clone());
            add_instrument(three.clone());
            Ok(checkpoint().await?)
        });
        Ok(())
    });
    Builder::new().instrument(one.clone()).instrument(two.clone()).run(main).unwrap();
    let task = child.take().unwrap();
    let mut expected = vec![Told::BeforeRun, Told::Scheduled(task.clone())];
    expected.extend((0..5).flat_map(|_| step(&task)));
    expected.extend([Told::Before(task.clone()), Told::After(task.clone()), Told::AfterRun]);
    assert_eq!(one.of(&task), expected);
    let mut rest = two.0.take();
    rest.extend(three.0.take());
    assert_eq!(one.0.take(), rest);
}

#[test]
fn trio_instruments_interleave() {
    let recorder = Rc::new(Recorder::default());
    let tasks = &RefCell::new(Vec::new());
    let main = nursery(async |n| {
        for _ in 0..2 {
            n.start_soon(async {
                tasks.borrow_mut().push(current_task());
                Ok(checkpoint().await?)
            });
        }
        Ok(())
    });
    Builder::new().instrument(recorder.clone()).run(main).unwrap();
    let tasks = tasks.take();
    for task in &tasks {
        let mut expected = vec![Told::BeforeRun, Told::Scheduled(task.clone())];
        expected.extend(step(task));
        expected.extend([Told::Before(task.clone()), Told::After(task.clone()), Told::AfterRun]);
        assert_eq!(recorder.of(task), expected);
    }
    // The first steps of both come before the second of either.
    let lines = recorder.0.take();
    let steps: Vec<&Task> = lines
        .iter()
        .filter_map(|told| match told {
            Told::Before(task) if tasks.contains(task) => Some(task),
            _ => None,
        })
        .collect();
    assert!(steps.len() == 4 && steps[0] != steps[1] && steps[2] != steps[3], "{steps:?}");
}

#[derive(Default)]
struct Ends(RefCell<Vec<String>>);

impl Instrument for Ends {
    fn before_run(&self) {
        self.0.borrow_mut().push("before_run".into());
    }
    fn after_run(&self) {
        self.0.borrow_mut().push("after_run".into());
    }
    fn task_spawned(&self, task: &Task) {
        self.0.borrow_mut().push(format!("spawned {task}"));
    }
    fn task_exited(&self, task: &Task) {
        assert_eq!(*task, current_task());
        self.0.borrow_mut().push(format!("exited {task}"));
    }
}

#[test]
fn trio_instrument_before_after_run() {
    let ends = Rc::new(Ends::default());
    Builder::new().instrument(ends.clone()).run(async { Ok(()) }).unwrap();
    let lines = ends.0.take();
    assert_eq!((lines[0].as_str(), lines[lines.len() - 1].as_str()), ("before_run", "after_run"));
}

#[test]
fn trio_instrument_task_spawn_exit() {
    let ends = Rc::new(Ends::default());
    Builder::new().instrument(ends.clone()).run(async { Ok(()) }).unwrap();
    let lines = ends.0.take();
    assert!(["spawned main", "exited main"].iter().all(|line| lines.iter().any(|l| l == line)), "{lines:?}");
}

/// Fails at the first chance.
#[derive(Default)]
struct Broken(Cell<u32>);

impl Instrument for Broken {
    fn task_scheduled(&self, _task: &Task) {
        self.0.set(self.0.get() + 1);
        panic!("oops")
    }
}

#[test]
fn trio_instruments_crash() {
    // Before the main task has begun.
    let (recorder, broken, ran) =
        (Rc::new(Recorder::default()), Rc::new(Broken::default()), Cell::new(false));
    let main = async {
        ran.set(true);
        checkpoint().await?;
        Ok(main_task())
    };
    let builder = Builder::new().instrument(recorder.clone()).instrument(broken.clone());
    let task = builder.run(main).unwrap();
    // It is told of nothing more, and the others of all.
    assert_eq!((broken.0.get(), ran.get()), (1, true));
    let lines = recorder.0.take();
    assert!(lines.contains(&Told::After(task)) && lines.contains(&Told::AfterRun));
}

/// Writes down from where each hook was called.
#[derive(Default)]
struct Places(RefCell<BTreeSet<&'static str>>);

impl Places {
    fn check(&self, hook: &'static str, of_task: Option<bool>) {
        assert!(in_run(), "{hook}");
        if let Some(of_task) = of_task {
            assert_eq!(in_task(), of_task, "{hook}");
        }
        self.0.borrow_mut().insert(hook);
    }
}

impl Instrument for Places {
    fn before_run(&self) {
        self.check("before_run", Some(false));
    }
    fn after_run(&self) {
        self.check("after_run", Some(false));
    }
    fn before_io_wait(&self, _timeout: f64) {
        self.check("before_io_wait", Some(false));
    }
    fn after_io_wait(&self, _timeout: f64) {
        self.check("after_io_wait", Some(false));
    }
    fn before_task_step(&self, _task: &Task) {
        self.check("before_task_step", Some(true));
    }
    fn after_task_step(&self, _task: &Task) {
        self.check("after_task_step", Some(true));
    }
    fn task_exited(&self, _task: &Task) {
        self.check("task_exited", Some(true));
    }
    fn task_scheduled(&self, _task: &Task) {
        self.check("task_scheduled", None);
    }
    fn task_spawned(&self, _task: &Task) {
        self.check("task_spawned", None);
    }
}

#[test]
fn trio_instrument_call_trio_context() {
    let places = Rc::new(Places::default());
    let main = async {
        checkpoint().await?;
        nursery(async |n| {
            n.start_soon(async { Ok(checkpoint().await?) });
            Ok(())
        })
        .await
    };
    Builder::new().instrument(places.clone()).run(main).unwrap();
    // A hook that fails is not called again: all have come to the end.
    assert_eq!(places.0.take().len(), 9);
}

/// Counts what it is told.
#[derive(Default)]
struct Counts {
    looks: Cell<usize>,
    steps: Cell<usize>,
    ends: Cell<usize>,
}

impl Instrument for Counts {
    fn before_io_wait(&self, _timeout: f64) {
        self.looks.set(self.looks.get() + 1);
    }
    fn before_task_step(&self, _task: &Task) {
        self.steps.set(self.steps.get() + 1);
    }
    fn after_task_step(&self, task: &Task) {
        assert_eq!(current_task(), *task);
        self.ends.set(self.ends.get() + usize::from(!task.is_alive()));
    }
}

#[test]
fn the_loop_looks_for_events_in_every_tick_if_an_instrument_is_installed() {
    let counts = Rc::new(Counts::default());
    let main = nursery(async |n| {
        // Nothing but a task that talks to itself: the ticks of a run without instruments would stay in this nursery.
        n.start_soon(async {
            for _ in 0..100 {
                checkpoint().await?;
            }
            Ok(())
        });
        Ok(())
    });
    Builder::new().instrument(counts.clone()).run(main).unwrap();
    let looks = counts.looks.get();
    assert!((100..=110).contains(&looks), "{looks} looks in some 103 ticks");
}

#[test]
fn a_tasks_last_step_ends_in_the_task_however_it_ends() {
    let counts = Rc::new(Counts::default());
    let main = async {
        nursery(async |n| {
            n.start_soon(async { Ok(()) });
            n.start_soon(async { Ok(checkpoint().await?) });
            n.start_soon(async {
                // The end of a task inside the nursery of another.
                nursery(async |inner| {
                    inner.start_soon(async { Ok(()) });
                    Ok(())
                })
                .await
            });
            let scope = CancelScope::new();
            scope.run(async { Ok(sleep(0.0).await?) }).await?;
            spawn_system_task("system", async { Ok(()) })?;
            wait_all_tasks_blocked(0.0).await?;
            n.start_soon(async { Err(Error::msg("it failed")) });
            Ok(())
        })
        .await
    };
    let builder = Builder::new().clock(MockClock::autojump()).instrument(counts.clone());
    assert!(builder.run(main).is_err());
    // Six tasks, and the main task. That the hook never failed is seen from that it was called to the end.
    assert_eq!(counts.ends.get(), 7);
    // Without a current task there is none: in what comes after the hook.
    run_mock(async { Ok(()) }).unwrap();
    assert!(!in_task());
}
