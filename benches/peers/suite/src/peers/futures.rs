//! `FuturesUnordered`, driven by `futures`' own `block_on`, with its channels: no runtime, and so no
//! timers, threads or sockets. Bodies are futures in the set, as there are no tasks.

use crate::{
    bell::Belfry,
    measure::{Figures, Scales, Stopwatch},
    workload::Workload,
};
use futures::{
    SinkExt, StreamExt,
    channel::mpsc,
    executor::block_on,
    future::{join, join_all as join_in_order, select},
    stream::FuturesUnordered,
};
use futures_lite::future::yield_now;
use std::{
    future::pending,
    pin::{Pin, pin},
};

type BoxFuture = Pin<Box<dyn Future<Output = ()>>>;

/// Does a workload.
pub fn run(workload: Workload, n: usize) -> Option<Figures> {
    Some(match workload {
        Workload::SpawnJoin => block_on(spawn_join(n)),
        Workload::Yield { tasks } => block_on(yields(tasks, n)),
        // A channel has room for as many as given and for one more of each sender.
        Workload::PingPong { capacity: 0 } => return None,
        Workload::PingPong { capacity } => block_on(ping_pong(capacity - 1, n)),
        Workload::Stream { capacity } => block_on(stream(capacity - 1, n)),
        Workload::Gather { tasks } => block_on(gathers(tasks, n)),
        Workload::Race => block_on(races(n)),
        Workload::CancelBlocked => block_on(cancel(n)),
        Workload::NestEnter { depth } => block_on(nest_enter(depth, n)),
        Workload::NestYield { depth } => block_on(nest_yield(depth, n)),
        Workload::NestWake { depth } => block_on(nest_wake(depth, n)),
        Workload::WakeOne { tasks } => block_on(wake_one(tasks, n)),
        Workload::BytesBlocked => block_on(bytes(n)),
        Workload::Batches { .. }
        | Workload::Broadcast { .. }
        | Workload::Watch { .. }
        | Workload::Sleep
        | Workload::TimeoutReady
        | Workload::TimeoutYield
        | Workload::Offload { .. }
        | Workload::CancelSleeping
        | Workload::BytesSleeping => return None,
    })
}

async fn join_all<F: Future<Output = ()>>(mut set: FuturesUnordered<F>) {
    while set.next().await.is_some() {}
}

/// Polls a body and its set together until both have ended.
async fn with_set<T>(body: impl Future<Output = T>, set: FuturesUnordered<BoxFuture>) -> T {
    join(body, join_all(set)).await.0
}

async fn spawn_join(n: usize) -> Figures {
    let watch = Stopwatch::start();
    let set = FuturesUnordered::<BoxFuture>::new();
    for _ in 0..n {
        set.push(Box::pin(async {}));
    }
    join_all(set).await;
    watch.per(n)
}

async fn yield_times(n: usize) {
    for _ in 0..n {
        yield_now().await;
    }
}

async fn gathers(tasks: usize, n: usize) -> Figures {
    let number = async |i| {
        yield_now().await;
        i
    };
    let watch = Stopwatch::start();
    for _ in 0..n / tasks {
        assert_eq!(join_in_order((0..tasks).map(number)).await.len(), tasks);
    }
    watch.per(n)
}

async fn races(n: usize) -> Figures {
    let watch = Stopwatch::start();
    for i in 0..n {
        let quick = pin!(async {
            yield_now().await;
            i
        });
        assert_eq!(select(quick, pending()).await.factor_first().0, i);
    }
    watch.per(n)
}

async fn yields(tasks: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    let set = FuturesUnordered::<BoxFuture>::new();
    for _ in 0..tasks {
        set.push(Box::pin(yield_times(n / tasks)));
    }
    join_all(set).await;
    watch.per(n)
}

async fn ping_pong(capacity: usize, n: usize) -> Figures {
    let (mut ask, mut asked) = mpsc::channel::<usize>(capacity);
    let (mut answer, mut answered) = mpsc::channel::<usize>(capacity);
    let watch = Stopwatch::start();
    let set = FuturesUnordered::<BoxFuture>::new();
    set.push(Box::pin(async move {
        while let Some(value) = asked.next().await {
            answer.send(value).await.expect("the other task listens");
        }
    }));
    set.push(Box::pin(async move {
        for i in 0..n {
            ask.send(i).await.expect("the other task listens");
            answered.next().await.expect("an answer");
        }
    }));
    join_all(set).await;
    watch.per(n)
}

async fn stream(capacity: usize, n: usize) -> Figures {
    let (mut sender, mut receiver) = mpsc::channel::<usize>(capacity);
    let watch = Stopwatch::start();
    let set = FuturesUnordered::<BoxFuture>::new();
    set.push(Box::pin(async move { while receiver.next().await.is_some() {} }));
    set.push(Box::pin(async move {
        for i in 0..n {
            // `feed` waits for room and no more: `send` would flush after each message.
            sender.feed(i).await.expect("the other task listens");
        }
    }));
    join_all(set).await;
    watch.per(n)
}

/// A set of futures, all of them blocked.
async fn start_blocked(n: usize) -> FuturesUnordered<BoxFuture> {
    let mut set = FuturesUnordered::<BoxFuture>::new();
    for _ in 0..n {
        set.push(Box::pin(pending()));
    }
    // One that ends comes out when all that were put in before it have been polled.
    set.push(Box::pin(async {}));
    set.next().await;
    set
}

async fn cancel(n: usize) -> Figures {
    let set = start_blocked(n).await;
    let watch = Stopwatch::start();
    drop(set);
    watch.per(n)
}

/// Sets within sets, and a future at the bottom that yields.
fn nest(depth: usize, bottom: BoxFuture) -> BoxFuture {
    match depth {
        0 => bottom,
        _ => Box::pin(async move {
            let set = FuturesUnordered::new();
            set.push(nest(depth - 1, bottom));
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
    let set = FuturesUnordered::<BoxFuture>::new();
    set.push(nest(depth, Box::pin(belfry.clone().answer(0))));
    with_set(belfry.time(n), set).await
}

async fn wake_one(tasks: usize, n: usize) -> Figures {
    let belfry = Belfry::new(tasks);
    let set = FuturesUnordered::<BoxFuture>::new();
    for which in 0..tasks {
        set.push(Box::pin(belfry.clone().answer(which)));
    }
    with_set(belfry.time(n), set).await
}

async fn bytes(n: usize) -> Figures {
    let scales = Scales::start();
    let _set = start_blocked(n).await;
    scales.per(n)
}
