//! RUN, SCHED, TOKEN and NUR: the loop under load, and what is left when it ends.

use std::{
    cell::{Cell, RefCell},
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    sync::{Arc, Mutex, mpsc},
    thread,
    time::{Duration, Instant},
};
use terzetto::{
    Builder, CancelScope, Error, Nursery, Task, checkpoint, current_task, current_time,
    lowlevel::{Instrument, Token, cancel_shielded_checkpoint, spawn_system_task},
    nursery, sleep, sleep_forever,
    sync::Event,
    testing::wait_all_tasks_blocked,
    to_thread,
};
use terzetto_tests::{OnDrop, run_mock};

#[test]
fn run_08_a_future_of_another_run_fails_clearly() {
    // A scope entered in a run that has ended is no scope of this one.
    let scope = CancelScope::new();
    run_mock(async { scope.run(async { Ok(()) }).await }).unwrap();
    let again = catch_unwind(AssertUnwindSafe(|| run_mock(async { scope.run(async { Ok(()) }).await })));
    let payload = again.unwrap_err();
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap();
    assert!(text.contains("entered only once"), "{text}");
    // Outside every run, a wait says so.
    let event = Event::new();
    let mut wait = Box::pin(event.wait());
    let outside = catch_unwind(AssertUnwindSafe(|| {
        let _ = wait.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop()));
    }));
    assert!(outside.is_err());
}

#[test]
fn run_10_a_run_may_follow_one_whose_system_task_panics_when_it_is_dropped() {
    let ended = catch_unwind(|| {
        run_mock(async {
            spawn_system_task("fails", async { Err(Error::msg("broken")) })?;
            sleep_forever().await.unwrap_err();
            let bomb = OnDrop(|| panic!("a destructor"));
            spawn_system_task("never begins", async move {
                let _bomb = bomb;
                Ok(())
            })?;
            Ok(())
        })
    });
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"a destructor"));
    run_mock(async { Ok(checkpoint().await?) }).unwrap();
}

/// How many descriptors this process has open.
fn descriptors() -> Option<usize> {
    Some(fs::read_dir("/proc/self/fd").ok()?.count())
}

#[test]
fn run_09_10_nothing_is_left_of_a_run_and_another_may_follow() {
    let alive = Rc::new(());
    let one = |how: usize| {
        let held = alive.clone();
        let ended = catch_unwind(AssertUnwindSafe(|| {
            run_mock(async move {
                let _held = held.clone();
                to_thread::run_sync(|| ()).await?;
                nursery(async |n| {
                    let held = held.clone();
                    n.start_soon(async move {
                        let _held = held;
                        Ok(sleep_forever().await?)
                    });
                    checkpoint().await?;
                    match how {
                        0 => n.cancel_scope().cancel(),
                        1 => return Err(Error::msg("ended so")),
                        _ => panic!("ended so"),
                    }
                    Ok(())
                })
                .await
            })
        }));
        assert_eq!(Rc::strong_count(&alive), 1);
        ended.map_or(2, |outcome| usize::from(outcome.is_err()))
    };
    one(0);
    let before = descriptors();
    for round in 0..60 {
        assert_eq!(one(round % 3), round % 3);
    }
    // Other tests of this process come and go; a leak would be one for each run.
    if let (Some(before), Some(after)) = (before, descriptors()) {
        assert!(after < before + 40, "{before} descriptors before, {after} after");
    }
}

#[test]
fn sched_02_a_task_that_always_yields_starves_nobody() {
    terzetto::run(async {
        let done = &Event::new();
        let others = &Cell::new(0_u32);
        nursery(async |n| {
            n.start_soon(async {
                while !done.is_set() {
                    checkpoint().await?;
                }
                Ok(())
            });
            n.start_soon(async {
                for _ in 0..100 {
                    checkpoint().await?;
                    others.set(others.get() + 1);
                }
                Ok(())
            });
            sleep(0.005).await?;
            // A wake from a thread comes through, too.
            to_thread::run_sync(|| thread::sleep(Duration::from_millis(2))).await?;
            done.set();
            Ok(())
        })
        .await?;
        assert_eq!(others.get(), 100);
        Ok(())
    })
    .unwrap();
}

/// Counts how often the loop goes to sleep.
#[derive(Default)]
struct Waits(Cell<usize>);

impl Instrument for Waits {
    fn before_io_wait(&self, timeout: f64) {
        self.0.set(self.0.get() + usize::from(timeout > 0.0));
    }
}

#[test]
fn sched_13_a_run_in_which_nothing_happens_does_not_spin() {
    for autojump in [false, true] {
        let waits = Rc::new(Waits::default());
        let builder = Builder::new().instrument(waits.clone());
        let builder =
            if autojump { builder.clock(terzetto::testing::MockClock::autojump()) } else { builder };
        builder
            .run(async {
                let scope = CancelScope::new();
                let (shared, token) = (Rc::new(scope.clone()), Token::current());
                SCOPE.set(Some((*shared).clone()));
                let alarm = thread::spawn(move || {
                    thread::sleep(Duration::from_millis(30));
                    token.run_sync_soon(|| SCOPE.with_borrow(|scope| scope.as_ref().unwrap().cancel()))
                });
                assert!(scope.run(async { Ok(sleep_forever().await?) }).await?.is_none());
                alarm.join().unwrap()?;
                Ok(())
            })
            .unwrap();
        assert!(waits.0.get() <= 4, "{} waits, autojump {autojump}", waits.0.get());
    }
}

thread_local!(static SCOPE: RefCell<Option<CancelScope>> = const { RefCell::new(None) });

#[test]
fn token_01_06_calls_of_each_thread_are_made_in_order() {
    let made = Arc::new(Mutex::new(Vec::new()));
    terzetto::run(async {
        let token = Token::current();
        let threads: Vec<_> = (0..4)
            .map(|who| {
                let (token, made) = (token.clone(), made.clone());
                thread::spawn(move || {
                    for i in 0..500 {
                        let made = made.clone();
                        token.run_sync_soon(move || made.lock().unwrap().push((who, i))).unwrap();
                    }
                })
            })
            .collect();
        for thread in threads {
            to_thread::run_sync(move || thread.join().unwrap()).await?;
        }
        // The token of any task and any time is the same run's.
        Token::current().run_sync_soon(|| ())?;
        sleep(0.001).await?;
        Ok(())
    })
    .unwrap();
    let made = made.lock().unwrap();
    for who in 0..4 {
        let of_one: Vec<_> = made.iter().filter(|call| call.0 == who).map(|call| call.1).collect();
        assert_eq!(of_one, (0..500).collect::<Vec<_>>());
    }
}

#[test]
fn token_03_accepted_calls_are_made_also_when_main_has_panicked() {
    let made = Arc::new(Mutex::new(Vec::new()));
    let notes = |call: &'static str| {
        let made = made.clone();
        move || made.lock().unwrap().push(call)
    };
    let ended = catch_unwind(AssertUnwindSafe(|| {
        run_mock::<()>(async {
            let token = Token::current();
            token.run_sync_soon(notes("first"))?;
            token.run_sync_soon(|| panic!("a call"))?;
            token.run_sync_soon(notes("last"))?;
            panic!("the main task")
        })
    }));
    assert_eq!(ended.unwrap_err().downcast_ref(), Some(&"the main task"));
    assert_eq!(*made.lock().unwrap(), ["first", "last"]);
    run_mock(async { Ok(checkpoint().await?) }).unwrap();
}

#[test]
fn token_05_calls_that_call_again_starve_nobody_and_a_million_are_quick() {
    fn again(token: Token, stop: Arc<Mutex<bool>>) {
        if !*stop.lock().unwrap() {
            let next = token.clone();
            let _ = token.run_sync_soon(move || again(next, stop));
        }
    }
    let start = Instant::now();
    terzetto::run(async {
        let stop = Arc::new(Mutex::new(false));
        again(Token::current(), stop.clone());
        sleep(0.005).await?;
        *stop.lock().unwrap() = true;
        let (send, receive) = mpsc::channel();
        let token = Token::current();
        for i in 0..1_000_000_u32 {
            let send = (i % 100_000 == 0).then(|| send.clone());
            token.run_sync_soon(move || {
                if let Some(send) = send {
                    send.send(i).unwrap();
                }
            })?;
        }
        drop(send);
        checkpoint().await?;
        checkpoint().await?;
        assert_eq!(receive.try_iter().count(), 10);
        Ok(())
    })
    .unwrap();
    assert!(start.elapsed() < Duration::from_secs(60), "{:?}", start.elapsed());
}

#[test]
fn nur_07_a_child_that_ends_well_disturbs_nobody() {
    run_mock(async {
        nursery(async |n| {
            n.start_soon(async { Ok(()) });
            n.start_soon(async { Ok(sleep(2.0).await?) });
            sleep(1.0).await?;
            assert!(!n.cancel_scope().cancel_called());
            assert_eq!(n.child_count(), 1);
            Ok(())
        })
        .await?;
        assert_eq!(current_time(), 2.0);
        Ok(())
    })
    .unwrap();
}

/// Starts a task in a nursery that is somebody else's.
async fn helper<'scope>(n: &'scope Nursery<'scope, '_>, ran: &'scope Cell<bool>) -> Result<(), Error> {
    n.start_soon(async {
        sleep(1.0).await?;
        ran.set(true);
        Ok(())
    });
    Ok(checkpoint().await?)
}

#[test]
fn nur_13_a_handle_can_be_given_to_others() {
    let ran = Cell::new(false);
    run_mock(nursery(async |n| {
        helper(n, &ran).await?;
        nursery(async |inner| {
            inner.start_soon(helper(n, &ran));
            Ok(())
        })
        .await
    }))
    .unwrap();
    assert!(ran.get());
}

#[test]
fn nur_19_tasks_know_their_parents_and_children_at_each_stage() {
    run_mock(async {
        let main = current_task();
        let ended: Task = nursery(async |n| {
            let children = || main.child_nurseries().iter().map(Vec::len).collect::<Vec<_>>();
            assert_eq!(children(), [0]);
            let first = n.start_soon_named("first", async { Ok(sleep(1.0).await?) });
            assert_eq!((children(), first.parent().as_ref()), (vec![1], Some(&main)));
            n.start_soon_named("second", async { Ok(sleep(2.0).await?) });
            assert_eq!(children(), [2]);
            sleep(1.5).await?;
            assert_eq!((children(), first.is_alive(), first.parent()), (vec![1], false, Some(main.clone())));
            Ok(first)
        })
        .await?;
        // With the nursery the links upward end, so that a handle does not keep all tasks above.
        assert_eq!((ended.name(), ended.parent(), main.child_nurseries().len()), ("first", None, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_20_an_ended_child_is_freed_at_once() {
    let alive = Rc::new(());
    run_mock(nursery(async |n| {
        for _ in 0..100_000 {
            let held = alive.clone();
            n.start_soon(async move {
                let _held = held;
                Ok(())
            });
            if Rc::strong_count(&alive) > 100 {
                cancel_shielded_checkpoint().await;
                cancel_shielded_checkpoint().await;
                assert_eq!(Rc::strong_count(&alive), 1);
                assert_eq!(n.child_count(), 0);
            }
        }
        wait_all_tasks_blocked(0.0).await?;
        Ok(())
    }))
    .unwrap();
}
