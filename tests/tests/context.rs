//! CTX, SYS, TOKEN, STAT and the tree of tasks.

use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    sync::{Arc, mpsc},
};
use terzetto::{
    CancelScope, CancelSource, Cancelled, ContextVar, Error, InternalError, checkpoint, current_task,
    lowlevel::{RunFinished, Token, current_root_task, current_statistics, main_task, spawn_system_task},
    nursery, sleep, sleep_forever, task_tree,
    testing::wait_all_tasks_blocked,
    to_thread,
};
use terzetto_tests::{Trace, run_mock};

static VALUE: ContextVar<u32> = ContextVar::new("value");

#[test]
fn ctx_01_children_see_what_was_set_before_and_leak_nothing_back() {
    run_mock(async {
        assert_eq!(VALUE.get(), None);
        VALUE.set(1);
        nursery(async |n| {
            n.start_soon(async {
                assert_eq!(VALUE.get(), Some(1));
                VALUE.set(10);
                sleep(1.0).await?;
                assert_eq!(VALUE.get(), Some(10));
                Ok(())
            });
            n.start_soon(async {
                sleep(0.5).await?;
                assert_eq!(VALUE.get(), Some(1), "a sibling's value, or a later one of the parent");
                Ok(())
            });
            VALUE.set(2);
            n.start_soon(async {
                assert_eq!(VALUE.get(), Some(2));
                assert_eq!(VALUE.unset(), Some(2));
                assert_eq!(VALUE.get(), None);
                Ok(())
            });
            Ok(())
        })
        .await?;
        assert_eq!(VALUE.get(), Some(2));
        Ok(())
    })
    .unwrap();
    assert_eq!(VALUE.get(), None, "set in the run, and gone with it");
}

#[test]
fn ctx_02_a_body_shares_its_task_and_start_soon_copies_the_callers() {
    run_mock(async {
        VALUE.set(1);
        nursery(async |outer| {
            VALUE.set(2);
            nursery(async |inner| {
                inner.start_soon(async {
                    VALUE.set(3);
                    // Started in the outer nursery, with the context of who started it.
                    outer.start_soon(async {
                        assert_eq!(VALUE.get(), Some(3));
                        Ok(())
                    });
                    Ok(())
                });
                Ok(())
            })
            .await
        })
        .await?;
        assert_eq!(VALUE.get(), Some(2));
        Ok(())
    })
    .unwrap();
}

#[test]
fn ctx_03_system_tasks_have_the_context_of_the_runs_start() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let start = |name: &'static str, later: u32| {
        let own = seen.clone();
        spawn_system_task(name, async move {
            own.borrow_mut().push(VALUE.set(later));
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(VALUE.get(), Some(later));
            Ok(())
        })
    };
    VALUE.set(1);
    run_mock(async {
        assert_eq!(VALUE.set(2), Some(1));
        // Neither sees what the main task or the other has set.
        start("first", 3)?;
        wait_all_tasks_blocked(0.0).await?;
        start("second", 4)?;
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!(VALUE.get(), Some(2));
        Ok(())
    })
    .unwrap();
    assert_eq!((seen.take(), VALUE.unset()), (vec![Some(1), Some(1)], Some(1)));
}

#[test]
fn ctx_03_system_tasks_do_not_see_what_main_has_set_and_thread_jobs_get_a_copy() {
    let seen = std::rc::Rc::new(Cell::new(Some(0)));
    let own = seen.clone();
    run_mock(async move {
        VALUE.set(1);
        spawn_system_task("look", async move {
            own.set(VALUE.get());
            Ok(())
        })?;
        wait_all_tasks_blocked(0.0).await?;
        let in_thread = to_thread::run_sync(|| VALUE.set(5)).await?;
        assert_eq!((in_thread, VALUE.get()), (Some(1), Some(1)));
        assert_eq!(to_thread::run_sync(|| VALUE.get()).await?, Some(1), "nothing is left in the worker");
        Ok(())
    })
    .unwrap();
    assert_eq!(seen.get(), None);
}

#[test]
fn ctx_03_a_value_may_look_at_the_context_when_it_is_dropped() {
    static LOOKER: ContextVar<Arc<Looks>> = ContextVar::new("looker");
    struct Looks(mpsc::Sender<Option<u32>>);
    impl Drop for Looks {
        fn drop(&mut self) {
            let _heard = self.0.send(VALUE.get());
        }
    }
    let (told, hears) = mpsc::channel();
    terzetto::run(async {
        VALUE.set(1);
        to_thread::run_sync(move || drop(LOOKER.set(Arc::new(Looks(told))))).await
    })
    .unwrap();
    assert_eq!(hears.recv(), Ok(None), "the job's context is left by then");
}

#[test]
fn run_04_system_tasks_are_cancelled_and_awaited_before_run_returns() {
    let trace = std::rc::Rc::new(Trace::default());
    let own = trace.clone();
    run_mock(async {
        spawn_system_task("heartbeat", async move {
            let cancelled = sleep_forever().await.unwrap_err();
            assert_eq!(cancelled.reason().source(), CancelSource::Shutdown);
            let scope = CancelScope::with_timeout(5.0).shielded(true);
            scope.run(async { Ok(sleep(1.0).await?) }).await?;
            own.note("cleaned");
            Err(cancelled.into())
        })?;
        sleep(1.0).await?;
        trace.note("main");
        Ok(())
    })
    .unwrap();
    assert_eq!(trace.text(), "main cleaned");
}

#[test]
fn run_06_07_the_tree_of_tasks_can_be_looked_at() {
    run_mock(async {
        let main = current_task();
        assert_eq!((main.name(), main_task()), ("main", main.clone()));
        assert!(main.parent() == Some(current_root_task()) && main.child_nurseries().is_empty());
        nursery(async |n| {
            let child = n.start_soon_named("child", async {
                nursery(async |inner| {
                    inner.start_soon_named("grandchild", async { Ok(sleep(1.0).await?) });
                    Ok(())
                })
                .await
            });
            n.start_soon(checkpointing());
            wait_all_tasks_blocked(0.0).await?;
            let nurseries = main.child_nurseries();
            assert_eq!(nurseries, [vec![child.clone()]]);
            let grandchild = &child.child_nurseries()[0][0];
            assert_eq!((grandchild.name(), grandchild.parent()), ("grandchild", Some(child.clone())));
            assert_eq!(child.parent(), Some(main.clone()));
            let tree = task_tree();
            let depth = |name: &str| tree.lines().find(|line| line.contains(name)).unwrap().find(name);
            assert!(depth("main") < depth("child") && depth("child") < depth("grandchild"), "{tree}");
            assert!(tree.contains("context.rs"), "where it was started: {tree}");
            wait_all_tasks_blocked(0.0).await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert!(main.child_nurseries().is_empty());
        Ok(())
    })
    .unwrap();
}

/// A task without a given name is named after its function.
async fn checkpointing() -> Result<(), Error> {
    assert!(current_task().name().contains("checkpointing"), "{}", current_task().name());
    Ok(checkpoint().await?)
}

#[test]
fn sys_01_system_tasks_live_outside_the_nurseries_of_main() {
    run_mock(async {
        let scope = CancelScope::new();
        let task = scope
            .run(async {
                let task = spawn_system_task("apart", async { Ok(sleep(3.0).await?) })?;
                scope.cancel();
                sleep(1.0).await?;
                Ok(task)
            })
            .await?;
        assert!(task.is_none());
        wait_all_tasks_blocked(0.0).await?;
        assert!(task_tree().contains("apart"), "{}", task_tree());
        Ok(())
    })
    .unwrap();
}

#[test]
fn sys_02_a_failed_system_task_ends_the_run_with_its_cause() {
    let seen = Cell::new(None);
    let error = run_mock(async {
        spawn_system_task("doomed", async {
            sleep(1.0).await?;
            Err(Error::msg("broken"))
        })?;
        let cancelled = sleep_forever().await.unwrap_err();
        seen.set(Some(cancelled.reason().source()));
        Err::<(), Error>(cancelled.into())
    })
    .unwrap_err();
    assert_eq!(seen.get(), Some(CancelSource::Shutdown));
    let internal = error.downcast_ref::<InternalError>().expect("an internal error");
    let cause = internal.cause().unwrap();
    let leaves: Vec<String> = cause.group().unwrap().leaves().map(ToString::to_string).collect();
    assert_eq!(leaves, ["broken"]);
    assert!(Cancelled::find_in(internal).is_none());
}

#[test]
fn sys_02_a_system_task_whose_error_cannot_be_displayed_lets_main_clean_up() {
    struct Unspeakable;
    impl std::fmt::Debug for Unspeakable {
        fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("unspeakable")
        }
    }
    impl std::fmt::Display for Unspeakable {
        fn fmt(&self, _f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("unspeakable")
        }
    }
    impl std::error::Error for Unspeakable {}
    let cleaned = Cell::new(false);
    let outcome = run_mock(async {
        spawn_system_task("unspeakable", async { Err(Unspeakable.into()) })?;
        sleep_forever().await.unwrap_err();
        CancelScope::new().shielded(true).run(async { Ok(sleep(1.0).await?) }).await?;
        cleaned.set(true);
        Ok(())
    });
    assert!(outcome.is_err() && cleaned.get());
}

#[test]
fn sys_02_nothing_is_started_once_a_system_task_has_failed() {
    // Seen by the main task and by another system task, as they clean up.
    let seen = Rc::new(RefCell::new(Vec::new()));
    let cleaning_up = || CancelScope::with_timeout(5.0).shielded(true);
    let (of_other, of_main) = (seen.clone(), seen.clone());
    let outcome = run_mock(async move {
        spawn_system_task("other", async move {
            let cancelled = sleep_forever().await.unwrap_err();
            cleaning_up().run(async { Ok(sleep(1.0).await?) }).await?;
            of_other.borrow_mut().push(spawn_system_task("later", async { Ok(()) }).err());
            Err(cancelled.into())
        })?;
        spawn_system_task("doomed", async { Err(Error::msg("broken")) })?;
        sleep_forever().await.unwrap_err();
        of_main.borrow_mut().push(spawn_system_task("later still", async { Ok(()) }).err());
        Ok(())
    });
    assert!(outcome.unwrap_err().downcast_ref::<InternalError>().is_some());
    assert_eq!(seen.take(), [Some(RunFinished), Some(RunFinished)]);
}

#[test]
fn sys_02_what_was_accepted_before_the_others_heard_of_a_failure_is_started() {
    let begun = Rc::new(Cell::new(false));
    let own = begun.clone();
    let outcome = run_mock(async move {
        spawn_system_task("doomed", async { Err(Error::msg("broken")) })?;
        // In the same tick, after that.
        spawn_system_task("starter", async move {
            spawn_system_task("last", async move {
                own.set(true);
                Ok(sleep_forever().await?)
            })?;
            Ok(())
        })?;
        Ok(sleep_forever().await?)
    });
    let error = outcome.unwrap_err();
    assert!(begun.get() && error.to_string().contains("broken"), "{error}");
}

#[test]
fn ctx_03_a_callback_has_the_context_of_the_runs_start_and_leaks_nothing() {
    let (told, hears) = mpsc::channel();
    VALUE.set(1);
    terzetto::run(async {
        VALUE.set(2);
        for _ in 0..2 {
            let told = told.clone();
            Token::current().run_sync_soon(move || told.send(VALUE.set(3)).unwrap())?;
        }
        sleep(0.001).await?;
        assert_eq!(VALUE.get(), Some(2));
        // One that is made when the main task has ended.
        Token::current().run_sync_soon(move || told.send(VALUE.set(3)).unwrap())?;
        Ok(())
    })
    .unwrap();
    assert_eq!(VALUE.unset(), Some(1));
    assert_eq!(hears.iter().collect::<Vec<_>>(), [Some(1); 3]);
}

#[test]
fn token_04_a_crash_in_a_callback_ends_the_run() {
    let cancelled = Cell::new(false);
    let error = run_mock(async {
        Token::current().run_sync_soon(|| panic!("callback"))?;
        cancelled.set(sleep_forever().await.is_err());
        Ok(())
    })
    .unwrap_err();
    assert!(cancelled.get());
    assert_eq!(error.downcast_ref::<InternalError>().unwrap().cause().unwrap().to_string(), "callback");
}

#[test]
fn sys_nothing_is_started_when_main_has_ended() {
    let refused = std::rc::Rc::new(RefCell::new(None));
    let own = refused.clone();
    run_mock(async move {
        spawn_system_task("late", async move {
            let cancelled = sleep_forever().await.unwrap_err();
            *own.borrow_mut() = spawn_system_task("later", async { Ok(()) }).err();
            Err(cancelled.into())
        })?;
        checkpoint().await?;
        checkpoint().await?;
        checkpoint().await?;
        Ok(())
    })
    .unwrap();
    assert_eq!(refused.take(), Some(RunFinished));
}

#[test]
fn stat_01_statistics() {
    run_mock(async {
        let before = current_statistics();
        assert_eq!((before.tasks_living, before.tasks_runnable), (1, 0));
        assert_eq!(before.seconds_to_next_deadline, f64::INFINITY);
        nursery(async |n| {
            for _ in 0..3 {
                n.start_soon(async { Ok(sleep(5.0).await?) });
            }
            let started = current_statistics();
            assert_eq!((started.tasks_living, started.tasks_runnable), (4, 3));
            wait_all_tasks_blocked(0.0).await?;
            Token::current().run_sync_soon(|| ())?;
            let blocked = current_statistics();
            assert_eq!((blocked.tasks_living, blocked.tasks_runnable), (4, 0));
            assert_eq!((blocked.seconds_to_next_deadline, blocked.run_sync_soon_queue_size), (5.0, 1));
            Ok(())
        })
        .await?;
        assert_eq!(current_statistics().tasks_living, 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn token_02_an_idempotent_call_is_queued_once_and_again_after_it_ran() {
    let made = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = || made.load(std::sync::atomic::Ordering::SeqCst);
    let call = run_mock(async {
        let own = made.clone();
        let call = Token::current().idempotent(move || {
            own.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        });
        for round in 1..=3 {
            for _ in 0..10 {
                call.clone().run_sync_soon()?;
            }
            sleep(1.0).await?;
            assert_eq!(count(), round);
        }
        Ok(call)
    })
    .unwrap();
    assert_eq!(call.run_sync_soon(), Err(RunFinished));
    assert_eq!((call.run_sync_soon(), count()), (Err(RunFinished), 3));
}
