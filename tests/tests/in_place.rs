//! SCHED: ticks that begin within the poll of a nursery, without a way up to the run loop and down again.
//! What runs, and in which order, must be as if each tick began at the loop.

use futures_util::{FutureExt, future::join};
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    panic::{AssertUnwindSafe, panic_any},
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};
use terzetto::{
    Builder, Error, channel, checkpoint, current_time, fail_after, lowlevel::cancel_shielded_checkpoint,
    move_on_after, nursery, sleep, testing::MockClock,
};
use terzetto_tests::run_mock;

/// Counts how often a future is polled.
struct Counted<'a, F>(Pin<&'a mut F>, &'a Cell<usize>);

impl<F: Future> Future for Counted<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.1.set(self.1.get() + 1);
        self.0.as_mut().poll(cx)
    }
}

async fn yields(n: usize) -> Result<(), Error> {
    for _ in 0..n {
        checkpoint().await?;
    }
    Ok(())
}

/// Nurseries in nurseries, with two busy tasks in the innermost.
fn nested(levels: usize) -> Pin<Box<dyn Future<Output = Result<(), Error>>>> {
    Box::pin(nursery(async move |n| {
        if levels > 0 {
            n.start_soon(nested(levels - 1));
        } else {
            n.start_soon(yields(1000));
            n.start_soon(yields(1000));
        }
        Ok(())
    }))
}

#[test]
fn sched_01_a_busy_nursery_does_not_poll_what_is_above_it() {
    let polls = Cell::new(0);
    run_mock(Counted(pin!(nested(50)), &polls)).unwrap();
    assert!(polls.get() < 20, "{} polls of the outermost nursery", polls.get());
}

#[test]
fn sched_02_a_busy_nursery_does_not_starve_its_own_node() {
    // What stands beside the nursery in its parent is polled in the same tick, though the children never
    // rest until it has been.
    run_mock(async {
        let (told, rounds) = (Cell::new(false), Cell::new(0));
        let busy = nursery(async |n| {
            n.start_soon(async {
                while !told.get() {
                    rounds.set(rounds.get() + 1);
                    checkpoint().await?;
                }
                Ok(())
            });
            Ok(())
        });
        let other = async {
            for _ in 0..3 {
                checkpoint().await?;
            }
            told.set(true);
            Ok::<_, Error>(())
        };
        let (one, two) = join(busy, other).await;
        one.and(two)?;
        assert_eq!(rounds.get(), 3);
        Ok(())
    })
    .unwrap();
}

/// Sets the flag and calls the waker when it is dropped.
#[derive(Clone)]
struct WakeOnDrop(Waker, Arc<AtomicBool>);

impl Drop for WakeOnDrop {
    fn drop(&mut self) {
        self.1.store(true, Relaxed);
        self.0.wake_by_ref();
    }
}

#[test]
fn sched_02_a_node_that_is_woken_between_two_of_its_children_is_not_starved() {
    // The second panic of a nursery is dropped: after the child's step, and before the next child's.
    run_mock(async {
        let (woken, rounds) = (Arc::new(AtomicBool::new(false)), Cell::new(0));
        let (waker, done) = (Cell::new(None), Cell::new(false));
        let other = poll_fn(|cx| {
            waker.set(Some(cx.waker().clone()));
            done.set(woken.load(Relaxed));
            if done.get() { Poll::Ready(Ok::<_, Error>(())) } else { Poll::Pending }
        });
        let busy = nursery(async |n| {
            n.start_soon(async {
                checkpoint().await?;
                panic!("the first panic")
            });
            n.start_soon(async {
                cancel_shielded_checkpoint().await;
                cancel_shielded_checkpoint().await;
                let waker = waker.take().expect("the node was polled");
                panic_any(WakeOnDrop(waker, woken.clone()))
            });
            for _ in 0..2 {
                n.start_soon(async {
                    while !done.get() && rounds.get() < 100 {
                        rounds.set(rounds.get() + 1);
                        cancel_shielded_checkpoint().await;
                    }
                    Ok(())
                });
            }
            Ok(())
        });
        let panicked = AssertUnwindSafe(join(other, busy)).catch_unwind().await;
        assert!(panicked.is_err() && done.get());
        assert!(rounds.get() < 12, "{} rounds until the node was polled", rounds.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn sched_02_tasks_of_different_nurseries_take_turns_at_any_depth() {
    let lines = RefCell::new(String::new());
    let speak = |who: char| {
        let lines = &lines;
        async move {
            for _ in 0..4 {
                lines.borrow_mut().push(who);
                checkpoint().await?;
            }
            Ok::<_, Error>(())
        }
    };
    run_mock(nursery(async |n| {
        let deep = nursery(async |n| {
            let deeper = nursery(async |n| {
                n.start_soon(speak('c'));
                n.start_soon(speak('d'));
                Ok(())
            });
            n.start_soon(speak('b'));
            n.start_soon(deeper);
            Ok(())
        });
        n.start_soon(deep);
        n.start_soon(async {
            // The others have come to where they speak.
            yields(2).await?;
            speak('a').await
        });
        Ok(())
    }))
    .unwrap();
    let lines = lines.take();
    // Nobody speaks a second time in a tick.
    for (at, who) in lines.char_indices().filter(|(_, who)| *who != 'b') {
        let before = lines[..at].chars().filter(|other| *other == who).count();
        for other in lines.chars().filter(|other| *other != 'b') {
            let of_other = lines[..at].chars().filter(|one| *one == other).count();
            assert!(before.abs_diff(of_other) <= 1, "{who} and {other} in {lines}");
        }
    }
}

#[test]
fn sched_02_deadlines_and_other_threads_reach_a_busy_nursery() {
    thread_local!(static CALLED: Cell<bool> = const { Cell::new(false) });
    // A deadline, by the real clock: the tasks never rest.
    let busy = async || loop {
        checkpoint().await?;
    };
    terzetto::run(async {
        let outcome = move_on_after(
            0.02,
            nursery(async |n| {
                n.start_soon(busy());
                n.start_soon(busy());
                Ok(())
            }),
        );
        assert!(outcome.await?.is_none());
        // A call from another thread.
        let token = terzetto::lowlevel::Token::current();
        nursery(async |n| {
            n.start_soon(busy());
            let thread = std::thread::spawn(move || token.run_sync_soon(|| CALLED.set(true)));
            while !CALLED.get() {
                cancel_shielded_checkpoint().await;
            }
            thread.join().unwrap()?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sched_02_a_deadline_that_a_busy_task_moves_the_clock_past_is_seen_at_its_next_checkpoint() {
    let clock = MockClock::new();
    Builder::new()
        .clock(clock.clone())
        .run(async {
            fail_after(100.0, async {
                nursery(async |n| {
                    n.start_soon(async {
                        yields(10).await?;
                        let start = current_time();
                        let late = move_on_after(1.0, async {
                            clock.jump(2.0);
                            Ok(checkpoint().await?)
                        });
                        assert!(late.await?.is_none());
                        assert_eq!(current_time() - start, 2.0);
                        Ok(())
                    });
                    Ok(())
                })
                .await
            })
            .await
        })
        .unwrap();
}

#[test]
fn sched_01_a_sleeper_above_wakes_while_two_below_talk() {
    let awake = Cell::new(false);
    run_mock(nursery(async |n| {
        let (ask, asked) = channel::<u32>(0);
        n.start_soon(async {
            sleep(1.0).await?;
            awake.set(true);
            Ok(())
        });
        nursery(async |inner| {
            inner.start_soon(async {
                let asked = asked;
                while asked.next().await?.is_some() {}
                Ok(())
            });
            inner.start_soon(async {
                let ask = ask;
                for i in 0..100 {
                    ask.send(i).await?;
                }
                // Nothing is runnable now, so that the mock clock jumps.
                sleep(2.0).await?;
                assert!(awake.get());
                Ok(())
            });
            Ok(())
        })
        .await
    }))
    .unwrap();
}

#[test]
fn two_nurseries_joined_in_one_task_take_turns() {
    run_mock(async {
        let (told, rounds) = (Cell::new(false), Cell::new(0));
        let busy = nursery(async |n| {
            n.start_soon(async {
                while !told.get() {
                    rounds.set(rounds.get() + 1);
                    assert!(rounds.get() < 10_000, "the other nursery starves");
                    checkpoint().await?;
                }
                Ok(())
            });
            Ok(())
        });
        let other = nursery(async |n| {
            n.start_soon(async {
                for _ in 0..3 {
                    checkpoint().await?;
                }
                told.set(true);
                Ok(())
            });
            Ok(())
        });
        let (one, two) = join(busy, other).await;
        one.and(two)?;
        assert!(rounds.get() < 10, "{}", rounds.get());
        Ok(())
    })
    .unwrap();
}
