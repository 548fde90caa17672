//! trio's `test_ki`: Ctrl-C is raised in the main task, once, wherever that is; and where it could be lost.
//!
//! SIGINT is the process's, so each test runs in one of its own.

use signal_hook::{consts::SIGINT, low_level::raise};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    thread,
    time::Duration,
};
use terzetto::{
    Builder, CancelScope, CancelSource, Cancelled, Error, TaskStatus, checkpoint,
    lowlevel::{
        Aborted, Instrument, Rescheduler, Token, cancel_shielded_checkpoint, checkpoint_if_cancelled,
        wait_task_rescheduled,
    },
    nursery, run, sleep, sleep_forever,
};
use terzetto_tests::{in_a_child, within};

const LIMIT: Duration = Duration::from_secs(20);

fn ki_self() {
    raise(SIGINT).unwrap();
}

/// Yields for ever.
async fn busy() -> Result<(), Error> {
    loop {
        checkpoint().await?;
    }
}

#[test]
fn trio_ki_self() {
    if in_a_child("trio_ki_self") {
        let outcome: Result<(), Error> = run(async {
            ki_self();
            Ok(checkpoint().await?)
        });
        assert!(outcome.unwrap_err().is_interrupted());
    }
}

#[test]
fn trio_ki_protection_works_while_tasks_run() {
    if !in_a_child("trio_ki_protection_works_while_tasks_run") {
        return;
    }
    // Checks 1 and 2. It comes in a child, and goes to the main task, which waits at its nursery's end: the children
    // are cancelled, and no child gets the Ctrl-C itself.
    let error = within(LIMIT, || {
        let record = &RefCell::new(Vec::new());
        let outcome = run(nursery(async |n| {
            for name in ["s1", "s2"] {
                n.start_soon(async move {
                    let Err(error) = busy().await else { return Ok(()) };
                    assert!(error.is_cancelled() && !error.is_interrupted());
                    record.borrow_mut().push(name);
                    Err(error)
                });
            }
            n.start_soon(async {
                ki_self();
                let wait = wait_task_rescheduled::<()>(|_| (), |_| Aborted::Succeeded);
                let error = wait.await.unwrap_err();
                assert!(error.is_cancelled() && !error.is_interrupted());
                record.borrow_mut().push("r1");
                Err(error)
            });
            Ok(())
        }));
        let mut record = record.take();
        record.sort_unstable();
        assert_eq!(record, ["r1", "s1", "s2"]);
        outcome.unwrap_err()
    });
    assert!(error.is_interrupted() && error.group().unwrap().errors().len() == 1, "{error}");
}

#[test]
fn trio_ki_protection_works_at_the_ends_of_a_run() {
    if !in_a_child("trio_ki_protection_works_at_the_ends_of_a_run") {
        return;
    }
    // Check 3: when no more calls are accepted.
    fn kill_during_shutdown(token: Token) {
        let next = token.clone();
        if token.run_sync_soon(move || kill_during_shutdown(next)).is_err() {
            ki_self();
        }
    }
    let outcome = within(LIMIT, || {
        run(async {
            kill_during_shutdown(Token::current());
            Ok(())
        })
    });
    assert!(outcome.unwrap_err().is_interrupted());

    // Check 4: before the main task has begun.
    struct OfDeath;
    impl Instrument for OfDeath {
        fn before_run(&self) {
            ki_self();
        }
    }
    let outcome = Builder::new().instrument(Rc::new(OfDeath)).run(async { Ok(checkpoint().await?) });
    assert!(outcome.unwrap_err().is_interrupted());

    // Check 9: just before the main task ends.
    let outcome = run(async {
        ki_self();
        Ok(())
    });
    assert!(outcome.unwrap_err().is_interrupted());

    // Beside an error of the main task: both come out, whenever it came.
    let fails = |token: Option<Token>| async move {
        match token {
            None => ki_self(),
            Some(token) => kill_during_shutdown(token),
        }
        Err::<(), _>(Error::msg("of main"))
    };
    for late in [false, true] {
        let error = run(async { fails(late.then(Token::current)).await }).unwrap_err();
        assert!(error.is_interrupted(), "{error}");
        let texts: Vec<String> = error.group().unwrap().leaves().map(ToString::to_string).collect();
        assert!(texts.contains(&"of main".to_owned()), "{texts:?}");
    }
    // After the run it does what it did before.
    let ended = run(async { Ok(()) });
    assert!(ended.is_ok());
}

#[test]
fn trio_ki_protection_works_at_checkpoints() {
    if !in_a_child("trio_ki_protection_works_at_checkpoints") {
        return;
    }
    // Check 5.
    run(async {
        ki_self();
        assert!(checkpoint_if_cancelled().await.unwrap_err().is_interrupt());
        Ok(checkpoint_if_cancelled().await?)
    })
    .unwrap();

    // Check 6: the main task cannot be aborted, as it is scheduled already.
    run(async {
        ki_self();
        for _ in 0..3 {
            cancel_shielded_checkpoint().await;
        }
        assert!(checkpoint().await.unwrap_err().is_interrupt());
        Ok(checkpoint().await?)
    })
    .unwrap();

    // Check 10: the code goes on to the next checkpoint.
    let reached = Cell::new(false);
    run(async {
        ki_self();
        reached.set(true);
        assert!(sleep(10.0).await.unwrap_err().is_interrupt());
        Ok(())
    })
    .unwrap();
    assert!(reached.get());

    // Check 11: in a cancelled scope it goes first.
    run(async {
        let scope = CancelScope::new();
        let inside = async {
            scope.cancel();
            assert!(!checkpoint().await.unwrap_err().is_interrupt());
            ki_self();
            assert!(checkpoint().await.unwrap_err().is_interrupt());
            assert!(!checkpoint().await.unwrap_err().is_interrupt());
            Ok(())
        };
        scope.run(inside).await.map(drop)
    })
    .unwrap();
}

#[test]
fn trio_ki_protection_works_at_waits_that_refuse() {
    if !in_a_child("trio_ki_protection_works_at_waits_that_refuse") {
        return;
    }
    type Slot = Rc<RefCell<Option<Rescheduler<u32>>>>;
    /// Waits so that a cancellation reschedules the wait with what `answer` makes of it.
    async fn refuse(answer: fn(&Cancelled) -> Result<u32, Error>) -> Result<u32, Error> {
        let slot: Slot = Rc::default();
        let own = slot.clone();
        let abort = move |cancelled: &Cancelled| {
            let waiter = own.take().unwrap();
            waiter.reschedule(answer(cancelled)).unwrap();
            Aborted::Failed
        };
        wait_task_rescheduled(move |waiter| *slot.borrow_mut() = Some(waiter), abort).await
    }
    // Check 7: it was not raised, so it is pending still.
    let ignored = async |early: bool| {
        if early {
            ki_self();
            cancel_shielded_checkpoint().await;
        } else {
            ki_self();
        }
        assert_eq!(refuse(|_| Ok(1)).await?, 1);
        assert!(checkpoint().await.unwrap_err().is_interrupt());
        Ok(checkpoint().await?)
    };
    // Check 8: it was raised in the end, so it is not pending any more.
    let raised = async |early: bool| {
        ki_self();
        if early {
            cancel_shielded_checkpoint().await;
        }
        assert!(refuse(|cancelled| Err(cancelled.clone().into())).await.unwrap_err().is_interrupted());
        Ok(checkpoint().await?)
    };
    for early in [false, true] {
        run(ignored(early)).unwrap();
        run(raised(early)).unwrap();
    }
    // Nor if it is raised only later, by somebody else.
    run(async {
        let handed: Rc<RefCell<Option<Cancelled>>> = Rc::default();
        let (slot, own) = (RefCell::new(None), handed.clone());
        nursery(async |n| {
            ki_self();
            n.start_soon(async {
                CancelScope::new().shielded(true).run(async { Ok(sleep(0.01).await?) }).await?;
                let (waiter, cancelled): (Rescheduler<()>, _) =
                    (slot.take().unwrap(), handed.take().unwrap());
                Ok(waiter.reschedule(Err(Cancelled::into(cancelled)))?)
            });
            let abort = move |cancelled: &Cancelled| {
                *own.borrow_mut() = Some(cancelled.clone());
                Aborted::Failed
            };
            let wait = wait_task_rescheduled(|waiter| *slot.borrow_mut() = Some(waiter), abort);
            assert!(wait.await.unwrap_err().is_interrupted());
            Ok(checkpoint().await?)
        })
        .await
    })
    .unwrap();
}

#[test]
fn trio_ki_is_good_neighbor() {
    if !in_a_child("trio_ki_is_good_neighbor") {
        return;
    }
    // A handler that is set in the middle of a run stays when it ends.
    let seen = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let own = seen.clone();
    run(async {
        signal_hook::flag::register(SIGINT, own)?;
        Ok(checkpoint().await?)
    })
    .unwrap();
    ki_self();
    assert!(seen.load(std::sync::atomic::Ordering::SeqCst));
}

/// A main task that waits at the end of a nursery whose tasks never rest hears of it, from wherever it comes.
#[test]
fn ctrl_c_reaches_a_main_task_that_waits_for_busy_tasks() {
    if !in_a_child("ctrl_c_reaches_a_main_task_that_waits_for_busy_tasks") {
        return;
    }
    fn nested(levels: u32) -> std::pin::Pin<Box<dyn Future<Output = Result<(), Error>>>> {
        Box::pin(async move {
            match levels {
                0 => busy().await,
                _ => {
                    let inside = nursery(async |n| {
                        n.start_soon(nested(levels - 1));
                        Ok(())
                    });
                    inside.await
                }
            }
        })
    }
    for levels in [0, 1, 3] {
        for from_outside in [false, true] {
            let error = within(LIMIT, move || {
                let other = from_outside.then(|| {
                    thread::spawn(|| {
                        thread::sleep(Duration::from_millis(20));
                        ki_self();
                    })
                });
                let outcome = run(nursery(async |n| {
                    n.start_soon(nested(levels));
                    n.start_soon(async {
                        if !from_outside {
                            ki_self();
                        }
                        busy().await
                    });
                    Ok(())
                }));
                other.map(thread::JoinHandle::join).transpose().unwrap();
                outcome.unwrap_err()
            });
            assert!(error.is_interrupted(), "{error}");
        }
    }
}

/// A call of `start` waits for its child as the end of a nursery does.
#[test]
fn ctrl_c_reaches_a_main_task_that_waits_for_a_task_to_be_started() {
    if !in_a_child("ctrl_c_reaches_a_main_task_that_waits_for_a_task_to_be_started") {
        return;
    }
    async fn never_ready(_status: TaskStatus<()>, is_busy: bool, why: &RefCell<String>) -> Result<(), Error> {
        let error = match is_busy {
            true => busy().await.unwrap_err(),
            false => sleep_forever().await.unwrap_err().into(),
        };
        let reason = error.find::<Cancelled>().unwrap().reason().clone();
        assert_eq!((reason.source(), reason.task()), (CancelSource::CtrlC, Some("main")));
        assert!(error.is_cancelled() && !error.is_interrupted());
        *why.borrow_mut() = reason.to_string();
        Err(error)
    }
    for (is_busy, early) in [(false, false), (false, true), (true, false), (true, true)] {
        let error = within(LIMIT, move || {
            let why = RefCell::new(String::new());
            let outcome: Result<(), Error> = run(async {
                nursery(async |n| {
                    if early {
                        ki_self();
                        cancel_shielded_checkpoint().await;
                    } else {
                        n.start_soon(async {
                            sleep(0.01).await?;
                            ki_self();
                            Ok(())
                        });
                    }
                    let error =
                        n.start(async |status| never_ready(status, is_busy, &why).await).await.unwrap_err();
                    assert!(error.is_interrupted() && error.group().is_none());
                    // It was raised, once.
                    checkpoint().await?;
                    Err(error)
                })
                .await
            });
            assert!(why.take().contains("because of Ctrl-C"));
            outcome.unwrap_err()
        });
        assert!(error.is_interrupted(), "{error}");
    }
}
