//! trio's `test_run`, first part: runs, tasks, the token, system tasks, waits of one's own.

use std::{
    cell::{Cell, RefCell},
    panic::catch_unwind,
    rc::Rc,
    thread,
    time::{Duration, Instant},
};
use terzetto::{
    Builder, CancelScope, Cancelled, ContextVar, Error, InternalError, NurseryClosed, Task, TaskStatus,
    checkpoint, current_task, current_time,
    lowlevel::{
        Aborted, Clock, Rescheduler, RunFinished, Token, cancel_shielded_checkpoint, current_clock,
        current_root_task, in_run, in_task, main_task, spawn_system_task, wait_task_rescheduled,
    },
    nursery, run, sleep_forever,
    testing::{MockClock, wait_all_tasks_blocked},
    to_thread,
};
use terzetto_tests::{Trace, run_mock};

#[test]
fn trio_run_current_time() {
    run(async {
        let first = current_time();
        thread::sleep(Duration::from_millis(1));
        assert!(first < current_time());
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_current_clock() {
    let clock = MockClock::new();
    let own: Rc<dyn Clock> = clock.clone();
    let main = async {
        assert!(Rc::ptr_eq(&current_clock(), &own));
        clock.jump(3.15);
        assert_eq!((current_clock().now(), current_time()), (3.15, 3.15));
        Ok(())
    };
    Builder::new().clock(clock.clone()).run(main).unwrap();
}

#[test]
fn trio_run_root_task() {
    run_mock(async {
        let root = current_root_task();
        assert_eq!((root.parent(), root.eventual_parent_nursery(), root.name()), (None, None, "root"));
        // Whoever climbs from any task comes to it.
        nursery(async |n| {
            n.start_soon(async {
                let mut task = current_task();
                while let Some(parent) = task.parent() {
                    task = parent;
                }
                assert_eq!(task, current_root_task());
                Ok(())
            });
            let system = spawn_system_task("system", async { Ok(sleep_forever().await?) })?;
            wait_all_tasks_blocked(0.0).await?;
            let of_system = system.parent().unwrap();
            assert_eq!(of_system.parent(), Some(root.clone()));
            assert_eq!(root.child_nurseries(), [vec![main_task(), of_system]]);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn trio_run_out_of_context() {
    assert!(catch_unwind(current_task).is_err() && catch_unwind(current_time).is_err());
    assert!(catch_unwind(current_root_task).is_err() && catch_unwind(|| drop(current_clock())).is_err());
}

#[test]
fn trio_run_timekeeping() {
    const TARGET: f64 = 0.2;
    // The machine may be busy elsewhere: a few tries.
    let in_time = || {
        let begun = Instant::now();
        run(async {
            let scope = CancelScope::with_deadline(current_time() + TARGET);
            scope.run(async { Ok(sleep_forever().await?) }).await.map(drop)
        })
        .unwrap();
        let accuracy = begun.elapsed().as_secs_f64() / TARGET;
        assert!(accuracy >= 1.0, "{accuracy}");
        accuracy < 2.0
    };
    assert!((0..4).any(|_| in_time()));
}

#[test]
fn trio_run_spawn_system_task() {
    run_mock(async {
        let record: Rc<RefCell<Vec<u32>>> = Rc::default();
        let own = record.clone();
        spawn_system_task("system", async move {
            own.borrow_mut().push(1);
            Ok(checkpoint().await?)
        })?;
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!(record.take(), [1]);
        Ok(())
    })
    .unwrap();
}

/// The cause of an internal error, by the levels of its groups.
fn cause_of(error: &Error) -> Vec<Vec<String>> {
    let mut levels = Vec::new();
    let mut groups = vec![error.downcast_ref::<InternalError>().unwrap().cause().unwrap()];
    while !groups.is_empty() {
        let single = groups.iter().filter(|error| error.group().is_none());
        let mut texts: Vec<String> = single.map(ToString::to_string).collect();
        texts.sort();
        levels.push(texts);
        groups = groups.iter().filter_map(|e| e.group()).flat_map(|g| g.errors()).collect();
    }
    levels
}

#[test]
fn trio_run_system_task_crash_exception_group() {
    let error = run_mock(async {
        spawn_system_task("system", async {
            nursery(async |n| {
                n.start_soon(async { Err(Error::msg("key")) });
                n.start_soon(async { Err(Error::msg("value")) });
                Ok(())
            })
            .await
        })?;
        Ok(sleep_forever().await?)
    })
    .unwrap_err();
    // One group is that of the runtime's nursery of system tasks (trio has two), one the task's own.
    assert_eq!(cause_of(&error), [vec![], vec![], vec!["key".to_owned(), "value".to_owned()]]);
}

#[test]
fn trio_run_system_task_crash_plus_cancelled() {
    let error = run_mock(async {
        spawn_system_task("system", async {
            nursery(async |n| {
                n.start_soon(async {
                    sleep_forever().await.unwrap_err();
                    Err(Error::msg("value"))
                });
                n.start_soon(async { Ok(sleep_forever().await?) });
                Ok(())
            })
            .await
        })?;
        checkpoint().await?;
        checkpoint().await?;
        Ok(())
    })
    .unwrap_err();
    assert_eq!(cause_of(&error), [vec![], vec![], vec!["value".to_owned()]]);
}

thread_local! {
    static WAITER: RefCell<Option<(Rescheduler<()>, Cancelled)>> = const { RefCell::new(None) };
    static SLOT: RefCell<Option<Rescheduler<()>>> = const { RefCell::new(None) };
}

/// Waits so that a cancellation is raised later, by a call of the token.
async fn slow_aborter(trace: Rc<Trace>) -> Result<(), Error> {
    let token = Token::current();
    let abort = move |cancelled: &Cancelled| {
        trace.note("abort-called");
        WAITER.set(Some((SLOT.take().unwrap(), cancelled.clone())));
        let raise = || {
            let (waiter, cancelled) = WAITER.take().unwrap();
            waiter.reschedule(Err(cancelled.into())).unwrap();
        };
        token.run_sync_soon(raise).unwrap();
        Aborted::Failed
    };
    wait_task_rescheduled(|waiter| SLOT.set(Some(waiter)), abort).await
}

#[test]
fn trio_run_slow_abort_basic() {
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel();
        let outcome = scope.run(async { Ok(slow_aborter(Rc::default()).await.unwrap_err()) }).await?;
        assert!(outcome.unwrap().is_cancelled());
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_slow_abort_edge_cases() {
    let trace: Rc<Trace> = Rc::default();
    let own = &trace;
    run_mock(async {
        let (outer, inner) = (CancelScope::new(), CancelScope::new());
        let block = nursery(async |n| {
            n.start_soon(async {
                own.note("sleeping");
                assert!(slow_aborter(own.clone()).await.unwrap_err().is_cancelled());
                own.note("cancelled");
                // This is all right, as a shield has been raised.
                checkpoint().await?;
                own.note("done");
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            outer.cancel();
            assert_eq!(own.text(), "sleeping abort-called");
            // Twice, and the function is called once.
            inner.cancel();
            assert_eq!(own.text(), "sleeping abort-called");
            n.cancel_scope().set_shield(true);
            Ok(())
        });
        outer.run(inner.run(block)).await.map(drop)
    })
    .unwrap();
    // The cancellation was delivered, though it is shielded by then.
    assert_eq!(trace.text(), "sleeping abort-called cancelled done");
}

#[test]
fn trio_run_task_tree_introspection() {
    /// Is started by `start`, and has a child of its own.
    async fn child1(status: TaskStatus<()>, parent: &Task, seen: &RefCell<Vec<Task>>) -> Result<(), Error> {
        let me = current_task();
        // Until it is started, it is the child of who called `start`, not of the nursery.
        assert_eq!(me.parent().unwrap().name(), "starter");
        assert_eq!(me.eventual_parent_nursery().as_ref(), Some(parent));
        status.started(())?;
        assert_eq!((me.parent().as_ref(), me.eventual_parent_nursery()), (Some(parent), None));
        wait_all_tasks_blocked(0.0).await?;
        nursery(async |n| {
            n.start_soon_named("child2", async {
                let child2 = current_task();
                assert_eq!(parent.child_nurseries(), [vec![me.clone()]]);
                assert_eq!(
                    (me.child_nurseries(), child2.child_nurseries()),
                    (vec![vec![child2.clone()]], vec![])
                );
                seen.borrow_mut().extend([me.clone(), child2]);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            // Links upward outlive the task, if not the nursery.
            let child2 = seen.borrow()[1].clone();
            assert_eq!((child2.is_alive(), child2.parent()), (false, Some(me.clone())));
            Ok(())
        })
        .await
    }
    run_mock(async {
        let (parent, seen) = (current_task(), RefCell::new(Vec::new()));
        assert!(parent.child_nurseries().is_empty());
        nursery(async |_| {
            nursery(async |_| {
                assert_eq!(parent.child_nurseries(), [vec![], vec![]]);
                Ok(())
            })
            .await
        })
        .await?;
        assert!(parent.child_nurseries().is_empty());
        let starter = CancelScope::new();
        let (target, slot) = (Rc::new(Cell::new(false)), &seen);
        nursery(async |n| {
            let parent = &parent;
            let start = async {
                n.start(async move |status| child1(status, parent, slot).await).await?;
                target.set(true);
                Ok(())
            };
            let named = nursery(async |other| {
                other.start_soon_named("starter", start);
                Ok(())
            });
            starter.run(named).await.map(drop)
        })
        .await?;
        assert!(target.get());
        for task in seen.take() {
            assert_eq!(task.eventual_parent_nursery(), None);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_eventual_parent_of_who_is_never_started() {
    let seen = RefCell::new(None);
    run_mock(nursery(async |n| {
        let failed = n
            .start(async |_: TaskStatus<()>| {
                assert_eq!(current_task().eventual_parent_nursery(), Some(main_task()));
                *seen.borrow_mut() = Some(current_task());
                Err(Error::msg("no"))
            })
            .await;
        assert!(failed.is_err());
        let task = seen.take().unwrap();
        assert_eq!((task.parent(), task.eventual_parent_nursery()), (None, None));
        Ok(())
    }))
    .unwrap();
}

#[test]
fn trio_run_spawn_name() {
    async fn func1(expected: &str) -> Result<(), Error> {
        assert!(current_task().name().contains(expected), "{}", current_task().name());
        Ok(())
    }
    run_mock(async {
        nursery(async |n| {
            n.start_soon(func1("func1"));
            n.start_soon_named("func3", func1("func3"));
            n.start_soon_named(String::from("of many"), func1("of many"));
            Ok(())
        })
        .await?;
        assert_eq!(spawn_system_task("func4", func1("func4"))?.name(), "func4");
        wait_all_tasks_blocked(0.0).await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_nursery_closure() {
    // Tasks can be added while one runs, and not when it has closed.
    struct Late<'scope, 'env>(&'scope terzetto::Nursery<'scope, 'env>);
    impl Drop for Late<'_, '_> {
        fn drop(&mut self) {
            assert_eq!(self.0.try_start_soon(async { Ok(()) }), Err(NurseryClosed));
        }
    }
    run_mock(async {
        let ran = Cell::new(false);
        nursery(async |n| {
            n.start_soon(async {
                n.start_soon(async {
                    ran.set(true);
                    Ok(())
                });
                Ok(())
            });
            Ok(())
        })
        .await?;
        assert!(ran.get());
        let mut half_way = Box::pin(nursery(async |n| {
            let _late = Late(n);
            Ok(sleep_forever().await?)
        }));
        assert!(futures_util::poll!(half_way.as_mut()).is_pending());
        drop(half_way);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_contextvar_support() {
    static VAR: ContextVar<&str> = ContextVar::new("test");
    VAR.set("before");
    run(async {
        assert_eq!(VAR.get(), Some("before"));
        VAR.set("after");
        cancel_shielded_checkpoint().await;
        assert_eq!(VAR.get(), Some("after"));
        Ok(())
    })
    .unwrap();
    assert_eq!(VAR.unset(), Some("before"));
}

#[test]
fn trio_run_trio_context_detection() {
    assert!(!in_run() && !in_task());
    run(async {
        assert!(in_run() && in_task());
        to_thread::run_sync(|| assert!(!in_run() && !in_task())).await?;
        // A call of the token belongs to the run, and to no task.
        let (told, hears) = std::sync::mpsc::channel();
        Token::current().run_sync_soon(move || told.send((in_run(), in_task())).unwrap())?;
        checkpoint().await?;
        assert_eq!(hears.recv()?, (true, false));
        let late = CancelScope::with_deadline(current_time() - 1.0);
        let abort = |_: &Cancelled| {
            assert!(in_run() && in_task());
            Aborted::Succeeded
        };
        late.run(wait_task_rescheduled::<()>(|_| (), abort)).await?;
        assert!(late.cancelled_caught());
        Ok(())
    })
    .unwrap();
    assert!(!in_run() && !in_task());
    let token = run(async { Ok(Token::current()) }).unwrap();
    assert_eq!(token.run_sync_soon(|| ()), Err(RunFinished));
}
