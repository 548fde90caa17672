//! smol: `LocalExecutor` of async-executor, timers of async-io, async-channel, blocking.

use crate::{
    bell::Belfry,
    measure::{Figures, Scales, Stopwatch},
    workload::{Workload, spread_sleep},
};
use async_executor::{LocalExecutor, Task};
use async_io::Timer;
use blocking::unblock;
use futures_lite::future::{or, yield_now};
use std::{
    cell::Cell,
    future::{pending, ready},
    pin::Pin,
    rc::Rc,
    time::Duration,
};

const MINUTE: Duration = Duration::from_secs(60);

type Executor = Rc<LocalExecutor<'static>>;

/// Does a workload.
pub fn run(workload: Workload, n: usize) -> Option<Figures> {
    Some(match workload {
        Workload::SpawnJoin => block_on(|executor| spawn_join(executor, n)),
        Workload::Yield { tasks } => block_on(|executor| yields(executor, tasks, n)),
        // Its channels have room for one at least.
        Workload::PingPong { capacity: 0 } => return None,
        Workload::PingPong { capacity } => block_on(|executor| ping_pong(executor, capacity, n)),
        Workload::Stream { capacity } => block_on(|executor| stream(executor, capacity, n)),
        // No channels of these kinds belong to it.
        Workload::Batches { .. } | Workload::Broadcast { .. } | Workload::Watch { .. } => return None,
        // Nor functions for this; `spawn-join` tells what tasks cost.
        Workload::Gather { .. } | Workload::Race => return None,
        Workload::Sleep => block_on(|executor| sleeps(executor, n)),
        Workload::TimeoutReady => block_on(|_| timeout_ready(n)),
        Workload::TimeoutYield => block_on(|_| timeout_yield(n)),
        Workload::Offload { tasks } => block_on(|executor| offload(executor, tasks, n)),
        Workload::CancelBlocked => block_on(|executor| cancel(executor, n, pending)),
        Workload::CancelSleeping => block_on(|executor| cancel(executor, n, sleep_minute)),
        Workload::NestEnter { depth } => block_on(|executor| nest_enter(executor, depth, n)),
        Workload::NestYield { depth } => block_on(|executor| nest_yield(executor, depth, n)),
        Workload::NestWake { depth } => block_on(|executor| nest_wake(executor, depth, n)),
        Workload::WakeOne { tasks } => block_on(|executor| wake_one(executor, tasks, n)),
        Workload::BytesBlocked => block_on(|executor| bytes(executor, n, pending)),
        Workload::BytesSleeping => block_on(|executor| bytes(executor, n, sleep_minute)),
    })
}

async fn sleep_minute() {
    Timer::after(MINUTE).await;
}

/// Runs the body as a task of the executor.
fn block_on<F>(body: impl FnOnce(Executor) -> F) -> Figures
where
    F: Future<Output = Figures> + 'static,
{
    let executor = Executor::default();
    let body = executor.spawn(body(executor.clone()));
    async_io::block_on(executor.run(body))
}

async fn join_all(tasks: Vec<Task<()>>) {
    for task in tasks {
        task.await;
    }
}

async fn spawn_join(executor: Executor, n: usize) -> Figures {
    let watch = Stopwatch::start();
    join_all((0..n).map(|_| executor.spawn(async {})).collect()).await;
    watch.per(n)
}

async fn yield_times(n: usize) {
    for _ in 0..n {
        yield_now().await;
    }
}

async fn yields(executor: Executor, tasks: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    join_all((0..tasks).map(|_| executor.spawn(yield_times(n / tasks))).collect()).await;
    watch.per(n)
}

async fn ping_pong(executor: Executor, capacity: usize, n: usize) -> Figures {
    let (ask, asked) = async_channel::bounded::<usize>(capacity);
    let (answer, answered) = async_channel::bounded::<usize>(capacity);
    let watch = Stopwatch::start();
    let echo = executor.spawn(async move {
        while let Ok(value) = asked.recv().await {
            answer.send(value).await.expect("the other task listens");
        }
    });
    let asker = executor.spawn(async move {
        for i in 0..n {
            ask.send(i).await.expect("the other task listens");
            answered.recv().await.expect("an answer");
        }
    });
    join_all(vec![echo, asker]).await;
    watch.per(n)
}

async fn stream(executor: Executor, capacity: usize, n: usize) -> Figures {
    let (sender, receiver) = async_channel::bounded::<usize>(capacity);
    let watch = Stopwatch::start();
    let sink = executor.spawn(async move { while receiver.recv().await.is_ok() {} });
    let source = executor.spawn(async move {
        for i in 0..n {
            sender.send(i).await.expect("the other task listens");
        }
    });
    join_all(vec![sink, source]).await;
    watch.per(n)
}

async fn sleeps(executor: Executor, n: usize) -> Figures {
    let watch = Stopwatch::start();
    let sleeper = |i| async move {
        Timer::after(Duration::from_millis(spread_sleep(i))).await;
    };
    join_all((0..n).map(|i| executor.spawn(sleeper(i))).collect()).await;
    watch.per(n)
}

/// `inside`, or nothing if it takes longer than a minute.
async fn within_a_minute<T>(inside: impl Future<Output = T>) -> Option<T> {
    let late = async {
        Timer::after(MINUTE).await;
        None
    };
    or(async { Some(inside.await) }, late).await
}

async fn timeout_ready(n: usize) -> Figures {
    let watch = Stopwatch::start();
    for _ in 0..n {
        within_a_minute(ready(())).await.expect("in time");
    }
    watch.per(n)
}

async fn timeout_yield(n: usize) -> Figures {
    let watch = Stopwatch::start();
    for _ in 0..n {
        within_a_minute(yield_now()).await.expect("in time");
    }
    watch.per(n)
}

async fn offload(executor: Executor, tasks: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    let caller = || async move {
        for i in 0..n / tasks {
            unblock(move || i).await;
        }
    };
    join_all((0..tasks).map(|_| executor.spawn(caller())).collect()).await;
    watch.per(n)
}

/// Counts a task while it lives.
struct Living(Rc<Cell<usize>>);

impl Living {
    fn new(count: &Rc<Cell<usize>>) -> Living {
        count.set(count.get() + 1);
        Living(count.clone())
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

async fn cancel<F>(executor: Executor, n: usize, blocked: impl Fn() -> F + Copy + 'static) -> Figures
where
    F: Future<Output = ()>,
{
    let living = Rc::new(Cell::new(0));
    let mut tasks = Vec::new();
    for _ in 0..n {
        let living = living.clone();
        tasks.push(executor.spawn(async move {
            let _living = Living::new(&living);
            blocked().await;
        }));
    }
    while living.get() < n {
        yield_now().await;
    }
    let watch = Stopwatch::start();
    // A task that is dropped is cancelled: the executor drops its future when its turn comes.
    drop(tasks);
    while living.get() > 0 {
        yield_now().await;
    }
    watch.per(n)
}

/// Tasks that wait for tasks, and one at the bottom that yields.
fn nest(
    executor: Executor,
    depth: usize,
    bottom: Pin<Box<dyn Future<Output = ()>>>,
) -> Pin<Box<dyn Future<Output = ()>>> {
    match depth {
        0 => bottom,
        _ => Box::pin(async move { executor.spawn(nest(executor.clone(), depth - 1, bottom)).await }),
    }
}

async fn nest_enter(executor: Executor, depth: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    for _ in 0..n / depth {
        nest(executor.clone(), depth, Box::pin(yield_times(0))).await;
    }
    watch.per(n)
}

async fn nest_yield(executor: Executor, depth: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    nest(executor, depth, Box::pin(yield_times(n))).await;
    watch.per(n)
}

async fn nest_wake(executor: Executor, depth: usize, n: usize) -> Figures {
    let belfry = Belfry::new(1);
    let bottom = executor.spawn(nest(executor.clone(), depth, Box::pin(belfry.clone().answer(0))));
    let figures = belfry.time(n).await;
    bottom.await;
    figures
}

async fn wake_one(executor: Executor, tasks: usize, n: usize) -> Figures {
    let belfry = Belfry::new(tasks);
    let listeners = (0..tasks).map(|which| executor.spawn(belfry.clone().answer(which))).collect();
    let figures = belfry.time(n).await;
    join_all(listeners).await;
    figures
}

async fn bytes<F>(executor: Executor, n: usize, blocked: impl Fn() -> F) -> Figures
where
    F: Future<Output = ()> + 'static,
{
    let scales = Scales::start();
    let mut tasks = Vec::with_capacity(n);
    for _ in 0..n {
        tasks.push(executor.spawn(blocked()));
    }
    // Tasks are polled in order: when this one has ended, all before it are blocked.
    executor.spawn(async {}).await;
    scales.per(n)
}
