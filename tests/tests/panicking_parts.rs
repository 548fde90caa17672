//! What is the user's and called by the runtime may panic: the rest is done all the same.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind, panic_any},
    pin::Pin,
    rc::Rc,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Wake, Waker},
    time::Duration,
};
use terzetto::{
    Builder, CancelScope, ContextVar, Error, Task, checkpoint,
    lowlevel::{Instrument, Token, current_statistics},
    nursery, sleep, sleep_forever,
    to_thread::{self, Limit},
};
use terzetto_tests::{OnDrop, begin, run_mock, within};

type Block<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A value that panics when it is dropped, if it is armed.
#[derive(Debug)]
struct Bomb(&'static AtomicBool);

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0.swap(false, SeqCst) {
            panic!("a bomb");
        }
    }
}

/// Starts a nursery with three children, each after `prepare`; drops it; says how many destructors of the
/// children were called, and how many tasks are left.
async fn drop_a_nursery(prepare: impl Fn(usize)) -> (usize, usize) {
    let living = current_statistics().tasks_living;
    let dropped = Cell::new(0);
    let dropped = &dropped;
    let mut block: Block<'_> = Box::pin(async {
        let _ = nursery(async |n| {
            for child in 0..3 {
                prepare(child);
                n.start_soon(async move {
                    let _seen = OnDrop(|| dropped.set(dropped.get() + 1));
                    Ok(sleep_forever().await?)
                });
            }
            Ok(sleep_forever().await?)
        })
        .await;
    });
    for _ in 0..3 {
        begin(&mut block).await;
        checkpoint().await.unwrap();
    }
    let _panicked = catch_unwind(AssertUnwindSafe(|| drop(block)));
    (dropped.get(), current_statistics().tasks_living - living)
}

#[test]
fn a_context_value_that_panics_when_dropped_keeps_no_child_of_a_dropped_nursery() {
    static ARMED: AtomicBool = AtomicBool::new(true);
    static BOMB: ContextVar<Arc<Bomb>> = ContextVar::new("bomb");
    let left = run_mock(async {
        // Only the second child has it.
        let arm = |child| match child {
            1 => drop(BOMB.set(Arc::new(Bomb(&ARMED)))),
            _ => drop(BOMB.unset()),
        };
        Ok(drop_a_nursery(arm).await)
    });
    assert_eq!(left.unwrap(), (3, 0));
    assert!(!ARMED.load(SeqCst));
}

#[test]
fn a_context_value_that_panics_when_its_task_ends_is_the_nurserys_panic() {
    static ARMED: AtomicBool = AtomicBool::new(true);
    static BOMB: ContextVar<Arc<Bomb>> = ContextVar::new("bomb");
    let sibling_ended = Cell::new(false);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run_mock(nursery(async |n| {
            n.start_soon(async {
                BOMB.set(Arc::new(Bomb(&ARMED)));
                Ok(())
            });
            n.start_soon(async {
                let cancelled = sleep_forever().await;
                sibling_ended.set(cancelled.is_err());
                Ok(cancelled?)
            });
            Ok(())
        }))
    }));
    let payload = outcome.unwrap_err();
    assert_eq!(payload.downcast_ref::<&str>(), Some(&"a bomb"));
    assert!(sibling_ended.get(), "the sibling was cancelled and joined, not dropped");
}

#[test]
fn an_instrument_whose_panic_panics_again_keeps_no_child_of_a_dropped_nursery() {
    static ARMED: AtomicBool = AtomicBool::new(true);
    struct Sour(Cell<bool>);
    impl Instrument for Sour {
        fn task_exited(&self, _task: &Task) {
            if self.0.replace(true) {
                panic_any(Bomb(&ARMED));
            }
        }
    }
    let left = run_mock(async {
        terzetto::lowlevel::add_instrument(Rc::new(Sour(Cell::new(true))));
        Ok(drop_a_nursery(|_child| ()).await)
    });
    assert_eq!(left.unwrap(), (3, 0));
    assert!(!ARMED.load(SeqCst), "the payload was dropped, and its panic caught");
}

#[test]
fn an_instrument_that_panics_when_it_is_dropped_is_removed_all_the_same() {
    static ARMED: AtomicBool = AtomicBool::new(true);
    struct Sour {
        _bomb: Bomb,
    }
    impl Instrument for Sour {
        fn before_task_step(&self, _task: &Task) {
            panic!("a hook");
        }
    }
    Builder::new()
        .instrument(Rc::new(Sour { _bomb: Bomb(&ARMED) }))
        .run(async {
            checkpoint().await?;
            Ok(())
        })
        .unwrap();
    assert!(!ARMED.load(SeqCst));
}

/// A waker that panics when it is dropped the last time, or when it wakes, if told to.
struct Sour {
    drops: bool,
    wakes: bool,
}

impl Wake for Sour {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.wakes {
            panic!("a foreign waker");
        }
    }
}

impl Drop for Sour {
    fn drop(&mut self) {
        if self.drops {
            panic!("the end of a foreign waker");
        }
    }
}

#[test]
fn a_foreign_waker_that_panics_when_dropped_keeps_no_child_of_a_dropped_nursery() {
    run_mock(async {
        let living = current_statistics().tasks_living;
        let dropped = Cell::new(0);
        let mut block: Block<'_> = Box::pin(async {
            let _ = nursery(async |n| {
                for _ in 0..3 {
                    n.start_soon(async {
                        let _seen = OnDrop(|| dropped.set(dropped.get() + 1));
                        Ok(sleep_forever().await?)
                    });
                }
                Ok(sleep_forever().await?)
            })
            .await;
        });
        let waker = Waker::from(Arc::new(Sour { drops: true, wakes: false }));
        for _ in 0..3 {
            assert!(block.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            checkpoint().await?;
        }
        // From here on only the nursery and its waits have it.
        std::mem::forget(waker.clone());
        let panicked = catch_unwind(AssertUnwindSafe(move || drop((block, waker))));
        assert!(panicked.is_ok(), "one clone of the waker is left");
        assert_eq!((dropped.get(), current_statistics().tasks_living - living), (3, 0));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_callback_whose_panic_panics_again_fails_the_run_and_no_more() {
    static ARMED: AtomicBool = AtomicBool::new(true);
    let outcome = within(Duration::from_secs(5), || {
        terzetto::run(async {
            Token::current().run_sync_soon(|| panic_any(Bomb(&ARMED)))?;
            Ok(sleep_forever().await?)
        })
    });
    assert!(outcome.unwrap_err().to_string().contains("internal error"));
    assert!(!ARMED.load(SeqCst));
}

/// A limiter whose tokens panic when they are given back.
struct SourLimit(&'static AtomicBool);

struct SourToken(&'static AtomicBool);

impl Limit for SourLimit {
    type Token = SourToken;

    async fn admit(&self) -> Result<SourToken, Error> {
        Ok(SourToken(self.0))
    }
}

impl Drop for SourToken {
    fn drop(&mut self) {
        if self.0.load(SeqCst) {
            panic!("a token");
        }
    }
}

#[test]
fn a_limiter_token_that_panics_does_not_lose_what_else_has_come() {
    static SOUR: AtomicBool = AtomicBool::new(true);
    let made = Arc::new(AtomicUsize::new(0));
    let others = made.clone();
    let outcome = within(Duration::from_secs(10), move || {
        terzetto::run(async move {
            let token = Token::current();
            nursery(async |n| {
                let others = &others;
                n.start_soon(async move {
                    to_thread::options().limiter(SourLimit(&SOUR)).run_sync(|| ()).await?;
                    Ok(())
                });
                sleep(0.0).await?;
                // The news of the end of the job and of the calls lie in one batch, since the loop is kept busy.
                std::thread::sleep(Duration::from_millis(50));
                for _ in 0..10 {
                    let made = others.clone();
                    token.run_sync_soon(move || {
                        made.fetch_add(1, SeqCst);
                    })?;
                }
                Ok(sleep_forever().await?)
            })
            .await
        })
    });
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("internal error") && error.contains("a token"), "{error}");
    assert_eq!(made.load(SeqCst), 10);
}

#[test]
fn a_foreign_waker_that_panics_when_it_wakes_does_not_lose_the_other_wakes() {
    let woken = Cell::new(false);
    let outcome: Result<(), Error> = run_mock(async {
        let sour = Waker::from(Arc::new(Sour { drops: false, wakes: true }));
        let mut wait = Box::pin(sleep(1.0));
        assert!(wait.as_mut().poll(&mut Context::from_waker(&sour)).is_pending());
        // This one is due after the other, in the same tick. The panic breaks the run, which cancels the main task.
        let shield = CancelScope::new().shielded(true);
        woken.set(shield.run(async { Ok(sleep(1.0).await?) }).await?.is_some());
        Ok(sleep_forever().await?)
    });
    let error = outcome.unwrap_err().to_string();
    assert!(error.contains("internal error") && error.contains("a foreign waker"), "{error}");
    assert!(woken.get());
}
