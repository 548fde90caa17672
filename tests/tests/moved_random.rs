//! Futures that are begun, polled, moved and dropped at random: in and out of scopes, by several tasks, by foreign
//! executors. Whatever happens to them, nothing hangs or panics, limits are kept, nothing is lost, and nothing is left.
//!
//! `TERZETTO_SEEDS=5000` tries that many seeds, `TERZETTO_FIRST_SEED` says which is the first.

use futures_util::{StreamExt, future::join, stream::FuturesUnordered};
use std::{
    cell::{Cell, RefCell},
    collections::HashSet,
    env,
    future::poll_fn,
    panic::{catch_unwind, resume_unwind},
    pin::Pin,
    rc::Rc,
    task::Poll,
    time::Duration,
};
use terzetto::{
    CancelScope, ContextVar, Error, Receiver, Sender, TaskStatus, channel, checkpoint,
    current_effective_deadline, current_task, current_time,
    lowlevel::current_statistics,
    move_on_after, nursery, sleep,
    sync::{CapacityLimiter, Event, Lock, Semaphore},
};
use terzetto_tests::{run_mock, within};

static DRIVER: ContextVar<u64> = ContextVar::new("driver");

/// A generator of random numbers (xorshift).
struct Random(Cell<u64>);

impl Random {
    fn below(&self, n: u64) -> u64 {
        let mut x = self.0.get();
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        self.0.set(x);
        (x >> 11) % n
    }

    fn one_in(&self, n: u64) -> bool {
        self.below(n) == 0
    }

    fn time(&self) -> f64 {
        self.below(40) as f64 / 8.0
    }
}

type Boxed = Pin<Box<dyn Future<Output = ()>>>;

/// A future that goes from hand to hand.
struct Moved {
    future: Boxed,
    /// Whether a cancellation ends it at once: no shield is in it, and nothing that polls only what was woken.
    obeys: bool,
}

async fn well(future: impl Future<Output = ()>) -> Result<(), Error> {
    future.await;
    Ok(())
}

struct World {
    random: Random,
    pool: RefCell<Vec<Moved>>,
    scopes: RefCell<Vec<CancelScope>>,
    event: RefCell<Event>,
    lock: Lock,
    limiter: CapacityLimiter,
    semaphore: Semaphore,
    channels: Vec<(Sender<u64>, Receiver<u64>)>,
    next_value: Cell<u64>,
    /// Values whose sends said that they were sent.
    sent: RefCell<HashSet<u64>>,
    received: RefCell<HashSet<u64>>,
}

impl World {
    fn new(seed: u64) -> Rc<World> {
        Rc::new(World {
            random: Random(Cell::new(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)),
            pool: RefCell::default(),
            scopes: RefCell::default(),
            event: RefCell::default(),
            lock: Lock::new(),
            limiter: CapacityLimiter::new(2),
            semaphore: Semaphore::new(2),
            channels: (0..3).map(channel).collect(),
            next_value: Cell::new(0),
            sent: RefCell::default(),
            received: RefCell::default(),
        })
    }

    fn take(&self) -> Option<Moved> {
        let mut pool = self.pool.borrow_mut();
        let len = pool.len() as u64;
        (len > 0).then(|| pool.swap_remove(self.random.below(len) as usize))
    }

    fn scope(&self, obeys: &mut bool) -> CancelScope {
        let scope = match self.random.below(4) {
            0 => CancelScope::with_timeout(self.random.time()),
            1 => {
                *obeys = false;
                CancelScope::with_timeout(self.random.time()).shielded(true)
            }
            _ => CancelScope::new(),
        };
        self.scopes.borrow_mut().push(scope.clone());
        scope
    }

    fn note_received(&self, value: u64) {
        assert!(self.received.borrow_mut().insert(value), "{value} was received twice");
    }
}

/// A random future. The ways in which what is in it ends are all the same to it.
fn random_future(world: &Rc<World>, depth: u64) -> Moved {
    let mut obeys = true;
    let w = world.clone();
    let time = w.random.time();
    let leaf = depth == 0 || w.random.one_in(3);
    let kind = if leaf { w.random.below(8) } else { 8 + w.random.below(6) };
    let future: Boxed = match kind {
        0 => Box::pin(async move { drop(sleep(time).await) }),
        1 => {
            let event = w.event.borrow().clone();
            Box::pin(async move { drop(event.wait().await) })
        }
        2 => Box::pin(async move {
            let value = w.next_value.replace(w.next_value.get() + 1);
            let channel = w.random.below(3) as usize;
            let sender = w.channels[channel].0.clone();
            if sender.send(value).await.is_ok() {
                w.sent.borrow_mut().insert(value);
            }
        }),
        3 => Box::pin(async move {
            let channel = w.random.below(3) as usize;
            let receiver = w.channels[channel].1.clone();
            if let Ok(value) = receiver.receive().await {
                w.note_received(value);
            }
        }),
        4 => Box::pin(async move {
            let Ok(_held) = w.lock.acquire().await else { return };
            drop(sleep(time).await);
        }),
        5 => Box::pin(async move {
            let Ok(_loan) = w.limiter.acquire().await else { return };
            drop(sleep(time).await);
        }),
        6 => Box::pin(async move {
            let Ok(_permit) = w.semaphore.acquire().await else { return };
            drop(sleep(time).await);
        }),
        7 => Box::pin(async move { while w.random.below(4) > 0 && checkpoint().await.is_ok() {} }),
        8 => {
            let inner = random_future(world, depth - 1);
            let scope = world.scope(&mut obeys);
            obeys &= inner.obeys;
            Box::pin(async move {
                let _ended = scope.run(well(inner.future)).await;
            })
        }
        9 => {
            let parts: Vec<Moved> = (0..3).map(|_| random_future(world, depth - 1)).collect();
            obeys = parts.iter().all(|part| part.obeys);
            let fails = w.random.one_in(4);
            Box::pin(async move {
                let _ended = nursery(async |n| {
                    for part in parts {
                        n.start_soon(async {
                            part.future.await;
                            if fails { Err(Error::msg("random")) } else { Ok(()) }
                        });
                    }
                    Ok(sleep(time).await?)
                })
                .await;
            })
        }
        10 => {
            let (first, second) = (random_future(world, depth - 1), random_future(world, depth - 1));
            obeys = first.obeys && second.obeys;
            Box::pin(async move {
                let ((), ()) = join(first.future, second.future).await;
            })
        }
        11 => {
            // It polls what was woken only: the rest stays in the scope of its last poll, and needs a limit of its own.
            let limited = |part: Moved| -> Boxed {
                Box::pin(async move { drop(move_on_after(5.0, well(part.future)).await) })
            };
            let mut all: FuturesUnordered<Boxed> =
                (0..3).map(|_| limited(random_future(world, depth - 1))).collect();
            obeys = false;
            Box::pin(async move { while all.next().await.is_some() {} })
        }
        12 => {
            let (before, after) = (random_future(world, depth - 1), random_future(world, depth - 1));
            obeys = before.obeys && after.obeys;
            Box::pin(async move {
                let _ended = nursery(async |n| {
                    let mut started = Box::pin(n.start(async |status: TaskStatus<()>| {
                        before.future.await;
                        let _told = status.started(());
                        after.future.await;
                        Ok(())
                    }));
                    if poll_fn(|cx| Poll::Ready(started.as_mut().poll(cx).is_pending())).await {
                        let _ended = move_on_after(time, started).await;
                    }
                    Ok(())
                })
                .await;
            })
        }
        _ => {
            // A task that takes another future from the pool, and gives it back.
            obeys = false;
            Box::pin(async move {
                let _ended = nursery(async |n| {
                    n.start_soon(async {
                        let Some(mut moved) = w.take() else { return Ok(()) };
                        let ended =
                            poll_fn(|cx| Poll::Ready(moved.future.as_mut().poll(cx).is_ready())).await;
                        sleep(time).await?;
                        if !ended {
                            w.pool.borrow_mut().push(moved);
                        }
                        Ok(())
                    });
                    Ok(())
                })
                .await;
            })
        }
    };
    Moved { future, obeys }
}

/// Polls a future once; puts it back if it has not ended.
async fn poll_once(world: &World, mut moved: Moved) {
    let ended = poll_fn(|cx| Poll::Ready(moved.future.as_mut().poll(cx).is_ready())).await;
    if !ended {
        world.pool.borrow_mut().push(moved);
    }
}

async fn step(world: &Rc<World>) -> Result<(), Error> {
    let random = &world.random;
    match random.below(17) {
        0..4 => {
            let made = random_future(world, 3);
            world.pool.borrow_mut().push(made);
        }
        4..6 => {
            let Some(moved) = world.take() else { return Ok(()) };
            poll_once(world, moved).await;
        }
        6..8 => {
            let Some(moved) = world.take() else { return Ok(()) };
            let scope = world.scope(&mut false);
            scope.run(well(poll_once(world, moved))).await?;
        }
        8 => drop(world.take()),
        9..11 => {
            let Some(moved) = world.take() else { return Ok(()) };
            let (begun, time) = (current_time(), random.time());
            move_on_after(time, well(moved.future)).await?;
            let took = current_time() - begun;
            assert!(!moved.obeys || took <= time, "it took {took} s and had {time} s");
        }
        11 => {
            // Beside a scope in which it is polled, too.
            let Some(moved) = world.take() else { return Ok(()) };
            let (begun, time, obeys) = (current_time(), random.time(), moved.obeys);
            let (shared, times) = (RefCell::new(Some(moved)), random.below(4));
            let poll = |cx: &mut std::task::Context<'_>| {
                let mut shared = shared.borrow_mut();
                let ended = shared.as_mut().is_none_or(|moved| moved.future.as_mut().poll(cx).is_ready());
                if ended {
                    *shared = None;
                }
                ended
            };
            let inside = async {
                for _ in 0..times {
                    poll_fn(|cx| Poll::Ready(poll(cx))).await;
                    checkpoint().await?;
                }
                // The scope is left in the same poll.
                poll_fn(|cx| Poll::Ready(poll(cx))).await;
                Ok(())
            };
            let scope = world.scope(&mut false);
            let outside = poll_fn(|cx| if poll(cx) { Poll::Ready(()) } else { Poll::Pending });
            move_on_after(time, async { Ok(join(outside, scope.run(inside)).await) }).await?;
            let took = current_time() - begun;
            assert!(!obeys || took <= time, "it took {took} s beside a scope, and had {time} s");
        }
        12 => {
            let scope = world.scopes.borrow_mut().pop();
            scope.inspect(CancelScope::cancel);
        }
        13 => {
            let event = world.event.replace(Event::new());
            event.set();
        }
        14 => {
            // A call of `start` that goes on under a limit.
            let (before, time, begun) = (random_future(world, 2), random.time(), current_time());
            nursery(async |n| {
                let mut started = Box::pin(n.start(async |status: TaskStatus<()>| {
                    before.future.await;
                    Ok(status.started(())?)
                }));
                if poll_fn(|cx| Poll::Ready(started.as_mut().poll(cx).is_pending())).await {
                    move_on_after(time, started).await?;
                }
                Ok(())
            })
            .await?;
            let took = current_time() - begun;
            assert!(!before.obeys || took <= time, "a start took {took} s, and had {time} s");
        }
        15 => {
            let channel = random.below(3) as usize;
            if let Ok(value) = world.channels[channel].1.receive_nowait() {
                world.note_received(value);
            }
        }
        _ => sleep(random.time()).await?,
    }
    Ok(())
}

/// Everything is over and dropped: nothing must be left.
fn check(world: &World) {
    let statistics = current_statistics();
    assert_eq!((statistics.tasks_living, statistics.tasks_runnable), (1, 0));
    assert_eq!(statistics.seconds_to_next_deadline, f64::INFINITY);
    assert_eq!((world.limiter.borrowed_tokens(), world.limiter.tasks_waiting()), (0, 0));
    assert_eq!((world.semaphore.value(), world.semaphore.tasks_waiting()), (2, 0));
    assert_eq!((world.lock.is_locked(), world.lock.tasks_waiting()), (false, 0));
    assert_eq!(world.event.borrow().tasks_waiting(), 0);
    for (_, receiver) in &world.channels {
        while let Ok(value) = receiver.receive_nowait() {
            world.note_received(value);
        }
        let left = receiver.statistics();
        assert_eq!(
            (left.current_buffer_used, left.tasks_waiting_send, left.tasks_waiting_receive),
            (0, 0, 0)
        );
        assert_eq!((left.open_send_channels, left.open_receive_channels), (1, 1));
    }
    let lost: Vec<u64> = world.sent.borrow().difference(&world.received.borrow()).copied().collect();
    assert!(lost.is_empty(), "values were lost: {lost:?}");
}

fn one_run(seed: u64) -> Result<(), Error> {
    let world = World::new(seed);
    run_mock(async {
        nursery(async |n| {
            for number in 0..4 {
                let world = world.clone();
                n.start_soon(async move {
                    DRIVER.set(number);
                    let task = current_task();
                    for _ in 0..60 {
                        step(&world).await?;
                        assert_eq!((DRIVER.get(), current_task()), (Some(number), task.clone()));
                        assert_eq!(current_effective_deadline(), f64::INFINITY);
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        // Destructors may put others back.
        while let Some(moved) = world.take() {
            drop(moved);
        }
        // Dropped futures have left wakes behind.
        checkpoint().await?;
        checkpoint().await?;
        check(&world);
        Ok(())
    })
}

#[test]
fn whatever_is_moved_nothing_hangs_and_nothing_is_left() {
    let number = |name| env::var(name).ok().and_then(|text| text.parse().ok());
    let first = number("TERZETTO_FIRST_SEED").unwrap_or(1);
    let seeds = first..first + number("TERZETTO_SEEDS").unwrap_or(150);
    for seed in seeds {
        let run = || within(Duration::from_secs(20), move || one_run(seed).unwrap());
        if let Err(payload) = catch_unwind(run) {
            eprintln!("that was seed {seed}");
            resume_unwind(payload);
        }
    }
}
