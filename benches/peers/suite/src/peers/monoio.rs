//! monoio, on epoll (its "legacy" driver) and on io_uring; channels of local-sync. It cannot cancel a
//! task, and has no group of tasks: those are joined one after another.

use crate::{
    bell::Belfry,
    measure::{Figures, Scales, Stopwatch},
    workload::{Workload, spread_sleep},
};
use futures_lite::future::yield_now;
use local_sync::mpsc::bounded;
use monoio::{
    Driver, IoUringDriver, LegacyDriver, Runtime, RuntimeBuilder,
    blocking::DefaultThreadPool,
    spawn, spawn_blocking,
    task::JoinHandle,
    time::{sleep, timeout},
};
use std::{
    future::{pending, ready},
    pin::Pin,
    time::Duration,
};

const MINUTE: Duration = Duration::from_secs(60);

/// Does a workload on epoll.
pub fn run_epoll(workload: Workload, n: usize) -> Option<Figures> {
    let builder = RuntimeBuilder::<LegacyDriver>::new().enable_timer();
    run(builder.attach_thread_pool(pool(workload)).build().expect("a runtime"), workload, n)
}

/// Does a workload on io_uring; nothing if the system does not allow it.
pub fn run_uring(workload: Workload, n: usize) -> Option<Figures> {
    if !monoio::utils::detect_uring() {
        return None;
    }
    let builder = RuntimeBuilder::<IoUringDriver>::new().enable_timer();
    run(builder.attach_thread_pool(pool(workload)).build().expect("a runtime"), workload, n)
}

/// It starts its threads at once: as many as the workload can use.
fn pool(workload: Workload) -> Box<DefaultThreadPool> {
    match workload {
        Workload::Offload { tasks } => Box::new(DefaultThreadPool::new(tasks)),
        _ => Box::new(DefaultThreadPool::new(1)),
    }
}

fn run<D: Driver>(mut runtime: Runtime<D>, workload: Workload, n: usize) -> Option<Figures> {
    Some(match workload {
        Workload::SpawnJoin => block_on(&mut runtime, spawn_join(n)),
        Workload::Yield { tasks: 1 } => block_on(&mut runtime, yields(n)),
        // Its channels have room for one at least.
        Workload::PingPong { capacity: 0 } => return None,
        Workload::PingPong { capacity } => block_on(&mut runtime, ping_pong(capacity, n)),
        Workload::Stream { capacity } => block_on(&mut runtime, stream(capacity, n)),
        // No channels of these kinds belong to it.
        Workload::Batches { .. } | Workload::Broadcast { .. } | Workload::Watch { .. } => return None,
        // Nor functions for this; `spawn-join` tells what tasks cost.
        Workload::Gather { .. } | Workload::Race => return None,
        Workload::Sleep => block_on(&mut runtime, sleeps(n)),
        Workload::TimeoutReady => block_on(&mut runtime, timeout_ready(n)),
        Workload::TimeoutYield => block_on(&mut runtime, timeout_yield(n)),
        Workload::Offload { tasks } => block_on(&mut runtime, offload(tasks, n)),
        Workload::NestEnter { depth } => block_on(&mut runtime, nest_enter(depth, n)),
        Workload::NestYield { depth } => block_on(&mut runtime, nest_yield(depth, n)),
        Workload::NestWake { depth } => block_on(&mut runtime, nest_wake(depth, n)),
        Workload::WakeOne { tasks } => block_on(&mut runtime, wake_one(tasks, n)),
        Workload::BytesBlocked => block_on(&mut runtime, bytes(n, pending)),
        Workload::BytesSleeping => block_on(&mut runtime, bytes(n, || sleep(MINUTE))),
        // A task that wakes itself goes on at once, before all others: there is no yielding to them.
        Workload::Yield { .. } => return None,
        Workload::CancelBlocked | Workload::CancelSleeping => return None,
    })
}

/// Runs the body as a task.
fn block_on<D: Driver>(runtime: &mut Runtime<D>, body: impl Future<Output = Figures> + 'static) -> Figures {
    runtime.block_on(async { spawn(body).await })
}

async fn join_all(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        task.await;
    }
}

async fn spawn_join(n: usize) -> Figures {
    let watch = Stopwatch::start();
    join_all((0..n).map(|_| spawn(async {})).collect()).await;
    watch.per(n)
}

async fn yield_times(n: usize) {
    for _ in 0..n {
        yield_now().await;
    }
}

async fn yields(n: usize) -> Figures {
    let watch = Stopwatch::start();
    spawn(yield_times(n)).await;
    watch.per(n)
}

async fn ping_pong(capacity: usize, n: usize) -> Figures {
    let (ask, mut asked) = bounded::channel::<usize>(capacity);
    let (answer, mut answered) = bounded::channel::<usize>(capacity);
    let watch = Stopwatch::start();
    let echo = spawn(async move {
        while let Some(value) = asked.recv().await {
            assert!(answer.send(value).await.is_ok(), "the other task listens");
        }
    });
    let asker = spawn(async move {
        for i in 0..n {
            assert!(ask.send(i).await.is_ok(), "the other task listens");
            answered.recv().await.expect("an answer");
        }
    });
    join_all(vec![echo, asker]).await;
    watch.per(n)
}

async fn stream(capacity: usize, n: usize) -> Figures {
    let (sender, mut receiver) = bounded::channel::<usize>(capacity);
    let watch = Stopwatch::start();
    let sink = spawn(async move { while receiver.recv().await.is_some() {} });
    let source = spawn(async move {
        for i in 0..n {
            assert!(sender.send(i).await.is_ok(), "the other task listens");
        }
    });
    join_all(vec![sink, source]).await;
    watch.per(n)
}

async fn sleeps(n: usize) -> Figures {
    let watch = Stopwatch::start();
    let sleeper = |i| async move { sleep(Duration::from_millis(spread_sleep(i))).await };
    join_all((0..n).map(|i| spawn(sleeper(i))).collect()).await;
    watch.per(n)
}

async fn timeout_ready(n: usize) -> Figures {
    let watch = Stopwatch::start();
    for _ in 0..n {
        timeout(MINUTE, ready(())).await.expect("in time");
    }
    watch.per(n)
}

async fn timeout_yield(n: usize) -> Figures {
    let watch = Stopwatch::start();
    for _ in 0..n {
        timeout(MINUTE, yield_now()).await.expect("in time");
    }
    watch.per(n)
}

async fn offload(tasks: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    let caller = || async move {
        for i in 0..n / tasks {
            assert!(spawn_blocking(move || i).await.is_ok(), "no panic");
        }
    };
    join_all((0..tasks).map(|_| spawn(caller())).collect()).await;
    watch.per(n)
}

/// Tasks that wait for tasks, and one at the bottom that yields.
fn nest(depth: usize, bottom: Pin<Box<dyn Future<Output = ()>>>) -> Pin<Box<dyn Future<Output = ()>>> {
    match depth {
        0 => bottom,
        _ => Box::pin(async move { spawn(nest(depth - 1, bottom)).await }),
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
    let bottom = spawn(nest(depth, Box::pin(belfry.clone().answer(0))));
    let figures = belfry.time(n).await;
    bottom.await;
    figures
}

async fn wake_one(tasks: usize, n: usize) -> Figures {
    let belfry = Belfry::new(tasks);
    let listeners = (0..tasks).map(|which| spawn(belfry.clone().answer(which))).collect();
    let figures = belfry.time(n).await;
    join_all(listeners).await;
    figures
}

async fn bytes<F>(n: usize, blocked: impl Fn() -> F) -> Figures
where
    F: Future<Output = ()> + 'static,
{
    let scales = Scales::start();
    let mut tasks = Vec::with_capacity(n);
    for _ in 0..n {
        tasks.push(spawn(blocked()));
    }
    // Tasks are polled in order: when this one has ended, all before it are blocked.
    spawn(async {}).await;
    scales.per(n)
}
