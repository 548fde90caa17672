//! moro-local: scopes whose jobs may borrow, driven by `futures`' own `block_on`. It has no channels,
//! timers or threads of its own.

use crate::{
    bell::Belfry,
    measure::{Figures, Scales, Stopwatch},
    workload::Workload,
};
use futures::executor::block_on;
use futures_lite::future::yield_now;
use moro_local::async_scope;
use std::{future::pending, pin::Pin};

/// Does a workload.
pub fn run(workload: Workload, n: usize) -> Option<Figures> {
    Some(match workload {
        Workload::SpawnJoin => block_on(spawn_join(n)),
        Workload::Yield { tasks } => block_on(yields(tasks, n)),
        Workload::CancelBlocked => block_on(cancel(n)),
        Workload::NestEnter { depth } => block_on(nest_enter(depth, n)),
        Workload::NestYield { depth } => block_on(nest_yield(depth, n)),
        Workload::NestWake { depth } => block_on(nest_wake(depth, n)),
        Workload::WakeOne { tasks } => block_on(wake_one(tasks, n)),
        Workload::BytesBlocked => block_on(bytes(n)),
        Workload::PingPong { .. }
        | Workload::Stream { .. }
        | Workload::Batches { .. }
        | Workload::Broadcast { .. }
        | Workload::Watch { .. }
        | Workload::Gather { .. }
        | Workload::Race
        | Workload::Sleep
        | Workload::TimeoutReady
        | Workload::TimeoutYield
        | Workload::Offload { .. }
        | Workload::CancelSleeping
        | Workload::BytesSleeping => return None,
    })
}

async fn spawn_join(n: usize) -> Figures {
    let watch = Stopwatch::start();
    async_scope!(|scope| {
        for _ in 0..n {
            drop(scope.spawn(async {}));
        }
    })
    .await;
    watch.per(n)
}

async fn yield_times(n: usize) {
    for _ in 0..n {
        yield_now().await;
    }
}

async fn yields(tasks: usize, n: usize) -> Figures {
    let watch = Stopwatch::start();
    async_scope!(|scope| {
        for _ in 0..tasks {
            drop(scope.spawn(yield_times(n / tasks)));
        }
    })
    .await;
    watch.per(n)
}

async fn cancel(n: usize) -> Figures {
    let watch = async_scope!(|scope| -> Stopwatch {
        for _ in 0..n {
            drop(scope.spawn(pending::<()>()));
        }
        // Jobs are polled in order: when this one has ended, all before it are blocked.
        scope.spawn(async {}).await;
        scope.terminate(Stopwatch::start()).await
    })
    .await;
    watch.per(n)
}

/// Scopes within scopes, and a job at the bottom that yields.
fn nest(depth: usize, bottom: Pin<Box<dyn Future<Output = ()>>>) -> Pin<Box<dyn Future<Output = ()>>> {
    match depth {
        0 => bottom,
        _ => Box::pin(async move {
            async_scope!(|scope| drop(scope.spawn(nest(depth - 1, bottom)))).await;
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
    let belfry = &Belfry::new(1);
    async_scope!(|scope| {
        drop(scope.spawn(nest(depth, Box::pin(belfry.clone().answer(0)))));
        belfry.time(n).await
    })
    .await
}

async fn wake_one(tasks: usize, n: usize) -> Figures {
    let belfry = &Belfry::new(tasks);
    async_scope!(|scope| {
        for which in 0..tasks {
            drop(scope.spawn(belfry.clone().answer(which)));
        }
        belfry.time(n).await
    })
    .await
}

async fn bytes(n: usize) -> Figures {
    let scales = Scales::start();
    async_scope!(|scope| -> Figures {
        for _ in 0..n {
            drop(scope.spawn(pending::<()>()));
        }
        scope.spawn(async {}).await;
        scope.terminate(scales.per(n)).await
    })
    .await
}
