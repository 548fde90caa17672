//! trio's `test_run`, the token: calls of other threads into a run.

use std::{
    cell::Cell,
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};
use terzetto::{
    CancelScope, Error, InternalError, checkpoint,
    lowlevel::{RunFinished, Token, in_task, spawn_system_task},
    run, sleep, sleep_forever,
    testing::wait_all_tasks_blocked,
};
use terzetto_tests::run_mock;

#[test]
fn trio_run_token_run_sync_soon_basic() {
    run_mock(async {
        let made = Arc::new(AtomicU32::new(0));
        let own = made.clone();
        Token::current().run_sync_soon(move || own.store(1, SeqCst))?;
        assert_eq!(made.load(SeqCst), 0);
        wait_all_tasks_blocked(0.0).await?;
        assert_eq!(made.load(SeqCst), 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_token_run_sync_soon_after_main_crash() {
    let made = Arc::new(AtomicU32::new(0));
    let own = made.clone();
    let error = run_mock::<()>(async {
        Token::current().run_sync_soon(move || own.store(1, SeqCst))?;
        Err(Error::msg("error text"))
    })
    .unwrap_err();
    assert_eq!((error.to_string().as_str(), made.load(SeqCst)), ("error text", 1));
}

#[test]
fn trio_run_token_identity() {
    let get_and_check = || {
        run(async {
            let token = Token::current();
            assert_eq!((&token, token.clone()), (&Token::current(), Token::current()));
            Ok(token)
        })
        .unwrap()
    };
    let (one, two) = (get_and_check(), get_and_check());
    assert_ne!(one, two);
    #[allow(clippy::mutable_key_type, reason = "what is hashed is whose token it is")]
    let set: HashSet<Token> = [one.clone(), two.clone(), one].into_iter().collect();
    assert_eq!(set.len(), 2);
}

#[test]
fn trio_run_token_run_sync_soon_idempotent() {
    let record: Arc<Mutex<Vec<u32>>> = Arc::default();
    let note = |i: u32| {
        let record = record.clone();
        move || record.lock().unwrap().push(i)
    };
    run_mock(async {
        let token = Token::current();
        let calls = [token.idempotent(note(1)), token.idempotent(note(2))];
        token.run_sync_soon(note(1))?;
        for call in [0, 0, 0, 1, 1] {
            calls[call].run_sync_soon()?;
        }
        wait_all_tasks_blocked(0.0).await?;
        let mut made = std::mem::take(&mut *record.lock().unwrap());
        made.sort_unstable();
        assert_eq!(made, [1, 1, 2]);
        // In order.
        let calls: Vec<_> = (0..100).map(|i| token.idempotent(note(i))).collect();
        for call in calls.iter().cycle().take(300) {
            call.run_sync_soon()?;
        }
        wait_all_tasks_blocked(0.0).await?;
        assert!(record.lock().unwrap().iter().copied().eq(0..100));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_run_token_run_sync_soon_idempotent_requeue() {
    // A call that has begun may be asked for again, and is made again.
    let made = Arc::new(AtomicU32::new(0));
    let handle: Arc<Mutex<Option<terzetto::lowlevel::IdempotentCall>>> = Arc::default();
    run(async {
        let (own, again) = (made.clone(), handle.clone());
        let redo = Token::current().idempotent(move || {
            own.fetch_add(1, SeqCst);
            let _finished = again.lock().unwrap().as_ref().unwrap().run_sync_soon();
        });
        *handle.lock().unwrap() = Some(redo.clone());
        redo.run_sync_soon()?;
        for _ in 0..3 {
            checkpoint().await?;
        }
        Ok(())
    })
    .unwrap();
    *handle.lock().unwrap() = None;
    assert!(made.load(SeqCst) >= 2);
}

#[test]
fn trio_run_token_run_sync_soon_crashes() {
    let second = Arc::new(AtomicU32::new(0));
    let cancelled = Cell::new(false);
    let error = run_mock(async {
        let token = Token::current();
        token.run_sync_soon(|| panic!("nope"))?;
        // It does not stop the calls after it.
        let own = second.clone();
        token.run_sync_soon(move || own.store(1, SeqCst))?;
        cancelled.set(sleep_forever().await.is_err());
        Ok(())
    })
    .unwrap_err();
    assert_eq!(error.downcast_ref::<InternalError>().unwrap().cause().unwrap().to_string(), "nope");
    assert!(cancelled.get() && second.load(SeqCst) == 1);
}

#[test]
fn trio_run_token_run_sync_soon_threaded_stress_test() {
    let made = Arc::new(AtomicU32::new(0));
    run(async {
        let (token, own) = (Token::current(), made.clone());
        thread::spawn(move || {
            loop {
                let own = own.clone();
                if token
                    .run_sync_soon(move || {
                        own.fetch_add(1, SeqCst);
                    })
                    .is_err()
                {
                    return;
                }
                thread::yield_now();
            }
        });
        for _ in 0..10 {
            let before = made.load(SeqCst);
            while made.load(SeqCst) == before {
                sleep(0.001).await?;
            }
        }
        Ok(())
    })
    .unwrap();
    assert!(made.load(SeqCst) >= 10);
}

/// Once the main task has ended, or a system task has failed, no task is started any more; a plain call needs none.
#[test]
fn a_call_by_a_token_is_made_while_the_run_is_ending() {
    for main_ends in [true, false] {
        let outcome = terzetto_tests::within(Duration::from_secs(20), move || {
            let (send, answers) = std::sync::mpsc::channel();
            let ended = run(async move {
                // It cleans up in its own time, while the run waits for it.
                let cleans_up = async move {
                    sleep_forever().await.unwrap_err();
                    let token = Token::current();
                    let (told, hears) = std::sync::mpsc::channel();
                    thread::spawn(move || {
                        let in_a_task = token.run_sync(in_task).map_err(|error| error.to_string());
                        let started =
                            token.run(async || Ok(())).map_err(|error| error.downcast_ref().copied());
                        told.send((in_a_task, started)).unwrap();
                    });
                    let shield = CancelScope::new().shielded(true);
                    let inside = async {
                        let answer = loop {
                            match hears.try_recv() {
                                Ok(answer) => break answer,
                                Err(_) => sleep(0.001).await?,
                            }
                        };
                        send.send(answer).unwrap();
                        Ok(())
                    };
                    shield.run(inside).await.map(drop)
                };
                spawn_system_task("cleans up", cleans_up)?;
                checkpoint().await?;
                checkpoint().await?;
                if !main_ends {
                    spawn_system_task("fails", async { Err(Error::msg("broken")) })?;
                    sleep_forever().await.unwrap_err();
                }
                Ok(())
            });
            assert_eq!(ended.is_ok(), main_ends);
            answers.recv().unwrap()
        });
        assert_eq!(outcome, (Ok(false), Err(Some(RunFinished))));
    }
}
