//! Calls from a thread back to the loop.

use super::Gate;
use std::{
    cell::RefCell,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering::SeqCst},
        mpsc,
    },
    thread,
    time::Duration,
};
use terzetto::{
    CancelScope, Error, InternalError, checkpoint, current_task, from_thread,
    from_thread::CallError,
    lowlevel::{RunFinished, Token, spawn_system_task},
    nursery, sleep, sleep_forever,
    testing::wait_all_tasks_blocked,
    to_thread,
};
use terzetto_tests::within;

#[test]
fn thread_07_calls_from_a_thread_run_on_the_loop() {
    terzetto::run(async {
        let here = thread::current().id();
        let outcome: Result<(), Error> = to_thread::run_sync(move || {
            let there = from_thread::run_sync(|| thread::current().id())?;
            assert_eq!(there, here);
            let value = from_thread::run(async || {
                sleep(0.001).await?;
                Ok(7)
            })?;
            assert_eq!(value, 7);
            let error = from_thread::run(async || Err::<(), _>(Error::msg("from afar"))).unwrap_err();
            assert_eq!(error.to_string(), "from afar");
            let panicked = std::panic::catch_unwind(|| from_thread::run_sync(|| panic!("on the loop")));
            assert_eq!(*panicked.unwrap_err().downcast_ref::<&str>().unwrap(), "on the loop");
            let panicked = std::panic::catch_unwind(|| {
                from_thread::run(async || {
                    checkpoint().await?;
                    if current_task().is_alive() {
                        panic!("in a future");
                    }
                    Ok(())
                })
            });
            assert_eq!(*panicked.unwrap_err().downcast_ref::<&str>().unwrap(), "in a future");
            Ok(())
        })
        .await?;
        outcome
    })
    .unwrap();
}

#[test]
fn thread_08_calls_run_in_the_waiting_task_under_its_scopes() {
    terzetto::run(async {
        let scope = CancelScope::new();
        nursery(async |n| {
            let scope = &scope;
            n.start_soon_named("host", async move {
                let job = || {
                    let name = from_thread::run_sync(|| current_task().name().to_owned())?;
                    // Until the scope of the task that waits is cancelled.
                    let error = from_thread::run(async || Ok(sleep_forever().await?)).unwrap_err();
                    Ok::<_, Error>((name, error.is_cancelled()))
                };
                let outcome = scope.run(async { to_thread::run_sync(job).await? }).await?;
                assert_eq!(outcome, Some(("host".to_owned(), true)));
                assert!(!scope.cancelled_caught(), "the thread's result was returned");
                Ok(())
            });
            wait_all_tasks_blocked(0.05).await?;
            scope.cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn thread_08_calls_of_an_abandoned_thread_run_in_a_system_task() {
    terzetto::run(async {
        let (scope, gate, (told, hears)) = (CancelScope::new(), Gate::default(), mpsc::channel());
        nursery(async |n| {
            let (scope, passed) = (&scope, gate.clone());
            n.start_soon_named("host", async move {
                let job = move || {
                    passed.pass();
                    let _heard = told.send(from_thread::run(async || {
                        checkpoint().await?;
                        Ok(current_task().name().to_owned())
                    }));
                };
                let options = to_thread::options().abandon_on_cancel(true);
                scope.run(async { options.run_sync(job).await }).await.map(drop)
            });
            wait_all_tasks_blocked(0.01).await?;
            scope.cancel();
            Ok(())
        })
        .await?;
        gate.open();
        to_thread::wait_all_threads_completed().await?;
        assert_eq!(hears.recv()??, "a call from a thread");
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_08_calls_of_a_thread_that_may_be_abandoned_run_in_a_system_task() {
    terzetto::run(async {
        let name = || from_thread::run_sync(|| current_task().name().to_owned());
        let options = to_thread::options().abandon_on_cancel(true);
        assert_eq!(options.run_sync(name).await??, "a call from a thread");
        Ok(())
    })
    .unwrap();
}

/// Does nothing until the job has sent its call to the loop, and in the same tick goes on.
fn let_the_call_come(gate: &Gate) {
    gate.open();
    thread::sleep(Duration::from_millis(50));
}

#[test]
fn thread_08_a_call_that_meets_the_cancellation_of_its_task_is_made() {
    terzetto::run(async {
        let (scope, gate, (told, hears)) = (CancelScope::new(), Gate::default(), mpsc::channel());
        nursery(async |n| {
            let (scope, passed) = (&scope, gate.clone());
            n.start_soon(async move {
                let job = move || {
                    passed.pass();
                    let _heard = told.send(from_thread::run_sync(|| 7));
                };
                let options = to_thread::options().abandon_on_cancel(true);
                scope.run(async { options.run_sync(job).await }).await.map(drop)
            });
            wait_all_tasks_blocked(0.01).await?;
            let_the_call_come(&gate);
            scope.cancel();
            Ok(())
        })
        .await?;
        to_thread::wait_all_threads_completed().await?;
        assert_eq!(hears.recv()??, 7);
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_08_a_call_that_its_task_has_left_undone_is_made_by_a_system_task() {
    terzetto::run(async {
        let (gate, (told, hears)) = (Gate::default(), mpsc::channel());
        let passed = gate.clone();
        let mut job = Box::pin(to_thread::run_sync(move || {
            passed.pass();
            let _heard = told.send(from_thread::run_sync(|| current_task().name().to_owned()));
        }));
        while to_thread::active_thread_count() == 0 {
            assert!(futures_util::poll!(&mut job).is_pending());
            checkpoint().await?;
        }
        let_the_call_come(&gate);
        checkpoint().await?;
        // The call is with the future that waits for the thread.
        drop(job);
        to_thread::wait_all_threads_completed().await?;
        assert_eq!(hears.recv()??, "a call from a thread");
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_08_a_call_that_is_dropped_half_way_fails_clearly() {
    terzetto::run(async {
        let (told, hears) = mpsc::channel();
        let begun = Arc::new(AtomicBool::new(false));
        let begins = begun.clone();
        let mut job = Box::pin(to_thread::run_sync(move || {
            let call = from_thread::run(async move || {
                begins.store(true, SeqCst);
                Ok(sleep_forever().await?)
            });
            let _heard = told.send(call);
        }));
        while !begun.load(SeqCst) {
            assert!(futures_util::poll!(&mut job).is_pending());
            sleep(0.001).await?;
        }
        drop(job);
        to_thread::wait_all_threads_completed().await?;
        let error = hears.recv()?.unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&CallError::Dropped));
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_09_a_thread_learns_that_its_task_is_cancelled() {
    terzetto::run(async {
        for abandons in [false, true] {
            let (scope, working) = (CancelScope::new(), Arc::new(AtomicBool::new(false)));
            let (told, hears) = mpsc::channel();
            let at_work = working.clone();
            let job = move || {
                let error = loop {
                    match from_thread::check_cancelled() {
                        Ok(()) => at_work.store(true, SeqCst),
                        Err(error) => break error,
                    }
                    thread::sleep(Duration::from_millis(1));
                };
                let _heard = told.send(error);
            };
            let options = to_thread::options().abandon_on_cancel(abandons);
            nursery(async |n| {
                let scope = &scope;
                n.start_soon(async move {
                    let outcome = scope.run(async { options.run_sync(job).await }).await?;
                    assert_eq!(outcome.is_none(), abandons);
                    Ok(())
                });
                while !working.load(SeqCst) {
                    sleep(0.001).await?;
                }
                scope.cancel_with_reason("enough");
                Ok(())
            })
            .await?;
            to_thread::wait_all_threads_completed().await?;
            let error = hears.recv()?;
            assert!(error.is_cancelled() && error.to_string().contains("enough"), "{error}");
        }
        Ok(())
    })
    .unwrap();
    let error = from_thread::check_cancelled().unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&CallError::NotAWorker));
}

/// It used to be told a little later, and perhaps too late.
#[test]
fn thread_09_a_thread_learns_at_once_that_its_own_call_has_cancelled_its_task() {
    thread_local! {
        static SCOPE: RefCell<CancelScope> = RefCell::new(CancelScope::new());
    }
    terzetto::run(async {
        for _ in 0..100 {
            let scope = CancelScope::new();
            SCOPE.set(scope.clone());
            let job = || {
                from_thread::run_sync(|| SCOPE.with_borrow(CancelScope::cancel))?;
                Ok::<_, Error>(from_thread::check_cancelled().is_err())
            };
            let told = scope.run(async { to_thread::run_sync(job).await? }).await?;
            assert_eq!(told, Some(true));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn thread_10_calls_that_cannot_be_made_fail_clearly() {
    // In a foreign thread a token is needed.
    let error = from_thread::run_sync(|| ()).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&CallError::NotAWorker));
    let token = terzetto::run(async {
        // On the loop's own thread: no deadlock.
        let error = from_thread::run_sync(|| ()).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&CallError::OnTheLoop));
        let error = Token::current().run(async || Ok(())).unwrap_err();
        assert_eq!(error.downcast_ref(), Some(&CallError::OnTheLoop));
        // From a foreign thread, by the token.
        let token = Token::current();
        let (told, hears) = mpsc::channel();
        let foreign = thread::spawn(move || {
            let name = token.run(async || {
                checkpoint().await?;
                Ok(current_task().name().to_owned())
            });
            let _heard = told.send((name, token.run_sync(|| 7)));
        });
        let (name, seven) = to_thread::run_sync(move || hears.recv()).await??;
        assert_eq!((name?, seven?), ("a call from a thread".to_owned(), 7));
        foreign.join().unwrap();
        Ok(Token::current())
    })
    .unwrap();
    let error = token.run_sync(|| ()).unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&RunFinished));
}

#[test]
fn thread_10_a_call_under_way_when_the_run_ends_fails_as_run_finished() {
    let (told, hears) = mpsc::channel();
    let (token, gate) = (Mutex::new(None), Gate::default());
    thread::scope(|s| {
        s.spawn(|| {
            gate.pass();
            let token: Token = token.lock().unwrap().take().unwrap();
            told.send(token.run(async || {
                let forever = CancelScope::new().shielded(false);
                forever.run(async { Ok(sleep_forever().await?) }).await
            }))
            .unwrap();
        });
        terzetto::run(async {
            *token.lock().unwrap() = Some(Token::current());
            gate.open();
            sleep(0.02).await?;
            Ok(())
        })
        .unwrap();
    });
    // The system task was cancelled when main ended, or came too late.
    let error = hears.recv().unwrap().unwrap_err();
    assert!(error.is_cancelled() || error.downcast_ref() == Some(&RunFinished), "{error}");
}

#[test]
fn thread_10_a_call_after_a_system_task_has_failed_fails_as_run_finished() {
    let (said, outcome) = within(Duration::from_secs(20), || {
        let (told, hears) = mpsc::channel();
        let outcome = terzetto::run(async {
            let token = Token::current();
            spawn_system_task("doomed", async { Err(Error::msg("broken")) })?;
            sleep_forever().await.unwrap_err();
            // The main task is cancelled, and cleans up.
            let call = move || drop(told.send(token.run(async || Ok(()))));
            CancelScope::new().shielded(true).run(to_thread::run_sync(call)).await.map(drop)
        });
        (hears.recv(), outcome)
    });
    assert_eq!(said.unwrap().unwrap_err().downcast_ref(), Some(&RunFinished));
    assert!(outcome.unwrap_err().downcast_ref::<InternalError>().is_some());
}

#[test]
fn thread_11_calls_nest() {
    fn down(levels: u32) -> Result<u32, Error> {
        if levels == 0 {
            return Ok(0);
        }
        from_thread::run(async move || Ok(to_thread::run_sync(move || down(levels - 1)).await?? + 1))
    }
    let depth = terzetto::run(async { to_thread::run_sync(|| down(20)).await? });
    assert_eq!(depth.unwrap(), 20);
}
