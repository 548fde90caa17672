//! tokio: its runtime of one thread, with a `LocalSet` and a `JoinSet` where a nursery would be. Its tasks need
//! not be `Send`, as terzetto's need not.

use crate::{
    bell::Belfry,
    measure::{Figures, Scales, Stopwatch},
    workload::{Workload, spread_sleep},
};
use std::{
    future::{pending, ready},
    pin::Pin,
    time::Duration,
};
use tokio::{
    runtime::Builder,
    select,
    sync::{broadcast, mpsc, watch},
    task::{JoinSet, LocalSet, spawn_blocking, spawn_local, yield_now},
    time::{sleep, timeout},
};

pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// Does a workload.
pub fn run(workload: Workload, n: usize) -> Option<Figures> {
    Some(match workload {
        Workload::SpawnJoin => block_on(spawn_join(n)),
        Workload::Yield { tasks } => block_on(yields(tasks, n)),
        // Its channels have room for one at least.
        Workload::PingPong { capacity: 0 } => return None,
        Workload::PingPong { capacity } => block_on(ping_pong(capacity, n)),
        Workload::Stream { capacity } => block_on(stream(capacity, n)),
        Workload::Batches { size } => block_on(batches(size, n)),
        Workload::Broadcast { receivers } => block_on(broadcasts(receivers, n)),
        Workload::Watch { tasks } => block_on(watch(tasks, n)),
        Workload::Gather { tasks } => block_on(gathers(tasks, n)),
        Workload::Race => block_on(races(n)),
        Workload::Sleep => block_on(sleeps(n)),
        Workload::TimeoutReady => block_on(timeout_ready(n)),
        Workload::TimeoutYield => block_on(timeout_yield(n)),
        Workload::Offload { tasks } => block_on(offload(tasks, n)),
        Workload::CancelBlocked => block_on(cancel(n, pending)),
        Workload::CancelSleeping => block_on(cancel(n, || sleep(MINUTE))),
        Workload::NestEnter { depth } => block_on(nest_enter(depth, n)),
        Workload::NestYield { depth } => block_on(nest_yield(depth, n)),
        Workload::NestWake { depth } => block_on(nest_wake(depth, n)),
        Workload::WakeOne { tasks } => block_on(wake_one(tasks, n)),
        Workload::BytesBlocked => block_on(bytes(n, pending)),
        Workload::BytesSleeping => block_on(bytes(n, || sleep(MINUTE))),
    })
}

/// Runs the body as a task of its own: the future given to `block_on` is woken in a slower way.
fn block_on(body: impl Future<Output = Figures> + 'static) -> Figures {
    let runtime = Builder::new_current_thread().enable_time().build().expect("a runtime");
    LocalSet::new().block_on(&runtime, async { spawn_local(body).await.expect("no panic") })
}

pub(super) async fn join_all(mut set: JoinSet<()>) {
    while let Some(outcome) = set.join_next().await {
        outcome.expect("no panic");
    }
}

async fn spawn_join(n: usize) -> Figures {
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    for _ in 0..n {
        set.spawn_local(async {});
    }
    join_all(set).await;
    watch.per(n)
}

pub(super) async fn yield_times(n: usize) {
    for _ in 0..n {
        yield_now().await;
    }
}

async fn yields(tasks: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        set.spawn_local(yield_times(n / tasks));
    }
    join_all(set).await;
    watch.per(n)
}

async fn ping_pong(capacity: usize, n: usize) -> Figures {
    let (ask, mut asked) = mpsc::channel::<usize>(capacity);
    let (answer, mut answered) = mpsc::channel::<usize>(capacity);
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    set.spawn_local(async move {
        while let Some(value) = asked.recv().await {
            answer.send(value).await.expect("the other task listens");
        }
    });
    set.spawn_local(async move {
        for i in 0..n {
            ask.send(i).await.expect("the other task listens");
            answered.recv().await.expect("an answer");
        }
    });
    join_all(set).await;
    watch.per(n)
}

async fn stream(capacity: usize, n: usize) -> Figures {
    let (sender, mut receiver) = mpsc::channel::<usize>(capacity);
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    set.spawn_local(async move { while receiver.recv().await.is_some() {} });
    set.spawn_local(async move {
        for i in 0..n {
            sender.send(i).await.expect("the other task listens");
        }
    });
    join_all(set).await;
    watch.per(n)
}

async fn batches(size: usize, n: usize) -> Figures {
    let (sender, mut receiver) = mpsc::channel::<usize>(size);
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    set.spawn_local(async move {
        let mut batch = Vec::with_capacity(size);
        while receiver.recv_many(&mut batch, size).await > 0 {
            batch.clear();
        }
    });
    set.spawn_local(async move {
        for first in (0..n).step_by(size) {
            let places = sender.reserve_many(size).await.expect("the other task listens");
            places.zip(first..).for_each(|(place, i)| place.send(i));
        }
    });
    join_all(set).await;
    watch.per(n)
}

async fn broadcasts(receivers: usize, n: usize) -> Figures {
    let (sender, receiver) = broadcast::channel::<usize>(100);
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    for _ in 0..receivers {
        let mut receiver = receiver.resubscribe();
        set.spawn_local(async move { while receiver.recv().await.is_ok() {} });
    }
    drop(receiver);
    set.spawn_local(async move {
        for i in 0..n {
            sender.send(i).expect("the other tasks listen");
            // Its senders do not wait, and receivers that lag would miss messages.
            if i % 100 == 99 {
                yield_now().await;
            }
        }
    });
    join_all(set).await;
    watch.per(n)
}

async fn watch(tasks: usize, n: usize) -> Figures {
    let (number, watched) = watch::channel(0);
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        let mut watched = watched.clone();
        set.spawn_local(async move {
            for next in 1..=n {
                watched.wait_for(|&number| number >= next).await.expect("the other task is there");
            }
        });
    }
    set.spawn_local(async move {
        yield_times(2).await;
        for i in 1..=n {
            number.send_replace(i);
            yield_now().await;
        }
        number.closed().await;
    });
    drop(watched);
    join_all(set).await;
    watch.per(n)
}

async fn gathers(tasks: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    for _ in 0..n / tasks {
        let mut set = JoinSet::new();
        for i in 0..tasks {
            set.spawn_local(async move {
                yield_now().await;
                i
            });
        }
        assert_eq!(set.join_all().await.len(), tasks);
    }
    watch.per(n)
}

pub(super) async fn races(n: usize) -> Figures {
    let watch = Stopwatch::start();
    for i in 0..n {
        let quick = async {
            yield_now().await;
            i
        };
        let winner = select! {
            number = quick => number,
            number = pending() => number,
        };
        assert_eq!(winner, i);
    }
    watch.per(n)
}

async fn sleeps(n: usize) -> Figures {
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    for i in 0..n {
        set.spawn_local(async move { sleep(Duration::from_millis(spread_sleep(i))).await });
    }
    join_all(set).await;
    watch.per(n)
}

pub(super) async fn timeout_ready(n: usize) -> Figures {
    let watch = Stopwatch::start();
    for _ in 0..n {
        timeout(MINUTE, ready(())).await.expect("in time");
    }
    watch.per(n)
}

pub(super) async fn timeout_yield(n: usize) -> Figures {
    let watch = Stopwatch::start();
    for _ in 0..n {
        timeout(MINUTE, yield_now()).await.expect("in time");
    }
    watch.per(n)
}

async fn offload(tasks: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    let mut set = JoinSet::new();
    for _ in 0..tasks {
        set.spawn_local(async move {
            for i in 0..n / tasks {
                spawn_blocking(move || i).await.expect("no panic");
            }
        });
    }
    join_all(set).await;
    watch.per(n)
}

/// Starts tasks and waits until all of them are blocked.
async fn start_blocked<F>(n: usize, blocked: impl Fn() -> F) -> JoinSet<()>
where
    F: Future<Output = ()> + 'static,
{
    let mut set = JoinSet::new();
    for _ in 0..n {
        set.spawn_local(blocked());
    }
    // Tasks are polled in order: when this one has ended, all before it are blocked.
    spawn_local(async {}).await.expect("no panic");
    set
}

async fn cancel<F>(n: usize, blocked: impl Fn() -> F) -> Figures
where
    F: Future<Output = ()> + 'static,
{
    let mut set = start_blocked(n, blocked).await;
    let watch = Stopwatch::start();
    set.abort_all();
    while set.join_next().await.is_some() {}
    watch.per(n)
}

/// Sets within sets, and a task at the bottom that yields.
fn nest(depth: usize, bottom: Pin<Box<dyn Future<Output = ()>>>) -> Pin<Box<dyn Future<Output = ()>>> {
    match depth {
        0 => bottom,
        _ => Box::pin(async move {
            let mut set = JoinSet::new();
            set.spawn_local(nest(depth - 1, bottom));
            join_all(set).await;
        }),
    }
}

async fn nest_enter(depth: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    for _ in 0..n / depth {
        nest(depth, Box::pin(yield_times(0))).await;
    }
    watch.per(n)
}

async fn nest_yield(depth: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    nest(depth, Box::pin(yield_times(n))).await;
    watch.per(n)
}

async fn nest_wake(depth: usize, n: usize) -> Figures {
    let belfry = Belfry::new(1);
    let bottom = spawn_local(nest(depth, Box::pin(belfry.clone().answer(0))));
    let figures = belfry.time(n).await;
    bottom.await.expect("no panic");
    figures
}

async fn wake_one(tasks: usize, n: usize) -> Figures {
    let belfry = Belfry::new(tasks);
    let mut set = JoinSet::new();
    for which in 0..tasks {
        set.spawn_local(belfry.clone().answer(which));
    }
    let figures = belfry.time(n).await;
    join_all(set).await;
    figures
}

async fn bytes<F>(n: usize, blocked: impl Fn() -> F) -> Figures
where
    F: Future<Output = ()> + 'static,
{
    let scales = Scales::start();
    let _set = start_blocked(n, blocked).await;
    scales.per(n)
}
