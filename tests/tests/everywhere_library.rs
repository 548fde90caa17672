//! EVERY: primitives and patterns of the library hold after a strike at each of their cancel points.

use std::cell::{Cell, RefCell};
use terzetto::{
    Error, Nursery, checkpoint,
    children::map,
    fail_after,
    graceful::finish,
    move_on_after, nursery,
    race::{first_to_end, first_to_succeed, hedge},
    service::with_services,
    sleep,
    supervise::Supervisor,
    sync::{Event, SlowReceiver, StrictFifoLock, Watch, broadcast, oneshot, with_producer},
    testing::{Coverage, Everywhere, Strike},
    time::{Backoff, RateLimiter, Retry},
    to_thread,
};

const ALL: [Strike; 3] = [Strike::Cancel, Strike::Drop, Strike::Panic];

/// Strikes a program everywhere. `held` counts what its tasks hold; after each run that is nothing.
fn strike(held: &Cell<i32>, program: impl AsyncFn() -> Result<(), Error>) -> Coverage {
    let coverage = Everywhere::new(program)
        .strikes(ALL)
        .pairs(100)
        .check(|| assert_eq!(held.get(), 0, "a task is still there"))
        .run();
    assert!(coverage.points > 1 && coverage.runs > 3 * coverage.points, "{coverage:?}");
    coverage
}

/// Counts as held while it exists.
struct Holds<'a>(&'a Cell<i32>);

impl Holds<'_> {
    fn new(held: &Cell<i32>) -> Holds<'_> {
        held.set(held.get() + 1);
        Holds(held)
    }
}

impl Drop for Holds<'_> {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

/// Starts a task that does `work` while it holds something.
fn start<'scope>(
    n: &'scope Nursery<'scope, '_>,
    held: &'scope Cell<i32>,
    work: impl Future<Output = Result<(), Error>> + 'scope,
) {
    n.start_soon(async move {
        let _holds = Holds::new(held);
        work.await
    });
}

#[test]
fn every_11_events_watches_oneshots_and_fifo_locks_keep_nobody() {
    let held = Cell::new(0);
    strike(&held, async || {
        let (event, watch, lock) = (Event::new(), Watch::new(0), StrictFifoLock::new());
        let (answer, answered) = oneshot();
        nursery(async |n| {
            let held = &held;
            start(n, held, async { Ok(event.wait().await?) });
            start(n, held, async { Ok(watch.wait_value(|value| *value == 2).await.map(drop)?) });
            start(n, held, async { Ok(answered.receive().await.map(drop)?) });
            for _ in 0..2 {
                start(n, held, async {
                    let _guard = lock.acquire().await?;
                    Ok(checkpoint().await?)
                });
            }
            sleep(1.0).await?;
            event.set();
            watch.set(2);
            Ok(answer.send("done")?)
        })
        .await?;
        assert_eq!(watch.tasks_waiting(), 0);
        Ok(())
    });
}

#[test]
fn every_12_a_broadcast_gives_each_message_once_to_whoever_is_left() {
    let (held, received) = (Cell::new(0), RefCell::new(Vec::new()));
    strike(&held, async || {
        // What the run before has received, which was struck somewhere: no message twice, and none left out.
        let before = received.take();
        assert!(before.iter().copied().eq(0..before.len() as i32), "{before:?}");
        let (sender, first) = broadcast(2, SlowReceiver::Wait);
        nursery(async |n| {
            let (held, received) = (&held, &received);
            start(n, held, async move {
                while let Some(number) = first.next().await? {
                    received.borrow_mut().push(number);
                }
                Ok(())
            });
            for number in 0..4 {
                sender.send(number).await?;
            }
            sender.close();
            Ok(())
        })
        .await?;
        assert_eq!(*received.borrow(), [0, 1, 2, 3]);
        Ok(())
    });
}

#[test]
fn every_13_producers_limits_rates_and_retries_end() {
    let held = Cell::new(0);
    strike(&held, async || {
        let _holds = Holds::new(&held);
        let producer = async |sender: terzetto::sync::ProducerSender<i32>| {
            for number in 0.. {
                sender.send(number).await?;
            }
            Ok(())
        };
        let sum = with_producer(producer, async |receiver| {
            Ok(receiver.receive().await? + receiver.receive().await?)
        });
        assert_eq!(sum.await?, 1);
        let rate = RateLimiter::new(2, 1.0);
        for _ in 0..3 {
            rate.acquire().await?;
        }
        assert_eq!(rate.tasks_waiting(), 0);
        let attempts = Cell::new(0);
        let retry = Retry::new(Backoff::constant(0.1)).attempts(3);
        retry
            .run(async || {
                attempts.set(attempts.get() + 1);
                checkpoint().await?;
                if attempts.get() < 3 { Err(Error::msg("not yet")) } else { Ok(()) }
            })
            .await?;
        fail_after(5.0, async { Ok(sleep(1.0).await?) }).await?;
        move_on_after(0.5, async { Ok(sleep(1.0).await?) }).await.map(drop)
    });
}

#[test]
fn every_14_races_and_hedges_leave_no_loser() {
    let held = Cell::new(0);
    strike(&held, async || {
        let run = async |seconds: f64| {
            let _holds = Holds::new(&held);
            Ok(sleep(seconds).await?)
        };
        first_to_end((run(1.0), run(2.0))).await?;
        first_to_succeed((async { Err(Error::msg("down")) }, run(1.0))).await?;
        hedge(3, 0.5, async |number| run(if number == 2 { 0.1 } else { 10.0 }).await).await?;
        assert_eq!(held.get(), 0);
        Ok(())
    });
}

#[test]
fn every_15_children_services_and_supervisors_end_with_their_frame() {
    let held = Cell::new(0);
    strike(&held, async || {
        let work = async |seconds: f64| {
            let _holds = Holds::new(&held);
            sleep(seconds).await?;
            Ok(1)
        };
        assert_eq!(map(0..3, async |_| work(0.1).await).at_most(2).collect().await?, [1, 1, 1]);
        let held = &held;
        with_services(async |n, services| {
            services.start_soon(async move {
                let _holds = Holds::new(held);
                sleep(1e6).await?;
                Ok(())
            });
            n.start_soon(async move {
                let _holds = Holds::new(held);
                Ok(sleep(0.1).await?)
            });
            Ok(())
        })
        .await?;
        let begun = Cell::new(0);
        Supervisor::one_for_one()
            .backoff(Backoff::constant(0.1))
            .task("fails once", async || {
                let _holds = Holds::new(held);
                begun.set(begun.get() + 1);
                checkpoint().await?;
                if begun.get() == 1 { Err(Error::msg("once")) } else { Ok(()) }
            })
            .run()
            .await
    });
}

#[test]
fn every_16_a_shutdown_lets_nothing_behind() {
    let held = Cell::new(0);
    strike(&held, async || {
        nursery(async |n| {
            let held = &held;
            start(n, held, finish(async { Ok(sleep(2.0).await?) }));
            start(n, held, async { Ok(sleep(60.0).await?) });
            sleep(1.0).await?;
            n.cancel_scope().shut_down(10.0);
            Ok(())
        })
        .await
    });
}

#[test]
fn every_17_jobs_of_threads_are_done_or_never_begun_and_their_tokens_come_back() {
    let held = Cell::new(0);
    strike(&held, async || {
        nursery(async |n| {
            let held = &held;
            for abandons in [false, true] {
                start(n, held, async move {
                    let options = to_thread::options().abandon_on_cancel(abandons);
                    assert_eq!(options.run_sync(|| 6 * 7).await?, 42);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        to_thread::wait_all_threads_completed().await?;
        assert_eq!(to_thread::default_limiter().borrowed_tokens(), 0);
        Ok(())
    });
}
