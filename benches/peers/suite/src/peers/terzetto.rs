//! This runtime: nurseries, cancel scopes, its own channels.

use crate::{
    bell::Belfry,
    measure::{Figures, Scales, Stopwatch},
    workload::{Workload, spread_sleep},
};
use std::{future::ready, pin::Pin, time::Duration};
use terzetto::{
    Error, channel, checkpoint,
    children::gather,
    move_on_after, nursery,
    race::first_to_end,
    sleep, sleep_forever,
    sync::{CapacityLimiter, SlowReceiver, Watch, broadcast},
    to_thread,
};

type Outcome = Result<Figures, Error>;

/// Does a workload.
pub fn run(workload: Workload, n: usize) -> Option<Figures> {
    let outcome = match workload {
        Workload::SpawnJoin => terzetto::run(spawn_join(n)),
        Workload::Yield { tasks } => terzetto::run(yields(tasks, n)),
        Workload::PingPong { capacity } => terzetto::run(ping_pong(capacity, n)),
        Workload::Stream { capacity } => terzetto::run(stream(capacity, n)),
        Workload::Batches { size } => terzetto::run(batches(size, n)),
        Workload::Broadcast { receivers } => terzetto::run(broadcasts(receivers, n)),
        Workload::Watch { tasks } => terzetto::run(watch(tasks, n)),
        Workload::Gather { tasks } => terzetto::run(gathers(tasks, n)),
        Workload::Race => terzetto::run(races(n)),
        Workload::Sleep => terzetto::run(sleeps(n)),
        Workload::TimeoutReady => terzetto::run(timeout_ready(n)),
        Workload::TimeoutYield => terzetto::run(timeout_yield(n)),
        Workload::Offload { tasks } => terzetto::run(offload(tasks, n)),
        Workload::CancelBlocked => terzetto::run(cancel(n, async || Ok(sleep_forever().await?))),
        Workload::CancelSleeping => terzetto::run(cancel(n, async || Ok(sleep(60.0).await?))),
        Workload::NestEnter { depth } => terzetto::run(nest_enter(depth, n)),
        Workload::NestYield { depth } => terzetto::run(nest_yield(depth, n)),
        Workload::NestWake { depth } => terzetto::run(nest_wake(depth, n)),
        Workload::WakeOne { tasks } => terzetto::run(wake_one(tasks, n)),
        Workload::BytesBlocked => terzetto::run(bytes(n, async || Ok(sleep_forever().await?))),
        Workload::BytesSleeping => terzetto::run(bytes(n, async || Ok(sleep(60.0).await?))),
    };
    Some(outcome.expect("the workload runs to its end"))
}

async fn spawn_join(n: usize) -> Outcome {
    let watch = Stopwatch::start();
    nursery(async |nursery| {
        for _ in 0..n {
            nursery.start_soon(async { Ok(()) });
        }
        Ok(())
    })
    .await?;
    Ok(watch.per(n))
}

async fn yield_times(n: usize) -> Result<(), Error> {
    for _ in 0..n {
        checkpoint().await?;
    }
    Ok(())
}

async fn yields(tasks: usize, n: usize) -> Outcome {
    let watch = Stopwatch::start();
    nursery(async |nursery| {
        for _ in 0..tasks {
            nursery.start_soon(yield_times(n / tasks));
        }
        Ok(())
    })
    .await?;
    Ok(watch.per(n))
}

async fn ping_pong(capacity: usize, n: usize) -> Outcome {
    let (ask, asked) = channel::<usize>(capacity);
    let (answer, answered) = channel::<usize>(capacity);
    let watch = Stopwatch::start();
    nursery(async |nursery| {
        nursery.start_soon(async move {
            while let Some(value) = asked.next().await? {
                answer.send(value).await?;
            }
            Ok(())
        });
        nursery.start_soon(async move {
            for i in 0..n {
                ask.send(i).await?;
                answered.receive().await?;
            }
            Ok(())
        });
        Ok(())
    })
    .await?;
    Ok(watch.per(n))
}

async fn stream(capacity: usize, n: usize) -> Outcome {
    let (sender, receiver) = channel::<usize>(capacity);
    let watch = Stopwatch::start();
    nursery(async |nursery| {
        nursery.start_soon(async move {
            while receiver.next().await?.is_some() {}
            Ok(())
        });
        nursery.start_soon(async move {
            for i in 0..n {
                sender.send(i).await?;
            }
            Ok(())
        });
        Ok(())
    })
    .await?;
    Ok(watch.per(n))
}

async fn batches(size: usize, n: usize) -> Outcome {
    let (sender, receiver) = channel::<usize>(size);
    let watch = Stopwatch::start();
    nursery(async |nursery| {
        nursery.start_soon(async move {
            let mut received = 0;
            while received < n {
                received += receiver.receive_many(size).await?.len();
            }
            Ok(())
        });
        nursery.start_soon(async move {
            for first in (0..n).step_by(size) {
                sender.send_many((first..first + size).collect()).await?;
            }
            Ok(())
        });
        Ok(())
    })
    .await?;
    Ok(watch.per(n))
}

async fn broadcasts(receivers: usize, n: usize) -> Outcome {
    let (sender, receiver) = broadcast::<usize>(100, SlowReceiver::Wait);
    let watch = Stopwatch::start();
    nursery(async |nursery| {
        for _ in 0..receivers {
            let receiver = receiver.clone();
            nursery.start_soon(async move {
                while receiver.next().await?.is_some() {}
                Ok(())
            });
        }
        drop(receiver);
        for i in 0..n {
            sender.send(i).await?;
        }
        sender.close();
        Ok(())
    })
    .await?;
    Ok(watch.per(n))
}

async fn watch(tasks: usize, n: usize) -> Outcome {
    let number = Watch::new(0);
    let watch = Stopwatch::start();
    nursery(async |nursery| {
        for _ in 0..tasks {
            nursery.start_soon(async {
                for next in 1..=n {
                    number.wait_value(move |&number| number >= next).await?;
                }
                Ok(())
            });
        }
        // They start with the next tick, in which this task comes first.
        yield_times(2).await?;
        for i in 1..=n {
            number.set(i);
            checkpoint().await?;
        }
        Ok(())
    })
    .await?;
    Ok(watch.per(n))
}

async fn gathers(tasks: usize, n: usize) -> Outcome {
    let number = async |i| {
        checkpoint().await?;
        Ok::<usize, Error>(i)
    };
    let watch = Stopwatch::start();
    for _ in 0..n / tasks {
        let numbers = gather((0..tasks).map(number).collect::<Vec<_>>()).await?;
        assert_eq!(numbers.len(), tasks);
    }
    Ok(watch.per(n))
}

async fn races(n: usize) -> Outcome {
    let watch = Stopwatch::start();
    for i in 0..n {
        let quick = async {
            checkpoint().await?;
            Ok(i)
        };
        let finish = first_to_end((quick, async { Ok(sleep_forever().await.map(|()| n)?) })).await?;
        assert_eq!(finish.value, i);
    }
    Ok(watch.per(n))
}

async fn sleeps(n: usize) -> Outcome {
    let watch = Stopwatch::start();
    nursery(async |nursery| {
        for i in 0..n {
            nursery.start_soon(async move { Ok(sleep(Duration::from_millis(spread_sleep(i))).await?) });
        }
        Ok(())
    })
    .await?;
    Ok(watch.per(n))
}

async fn timeout_ready(n: usize) -> Outcome {
    let watch = Stopwatch::start();
    for _ in 0..n {
        move_on_after(60.0, ready(Ok(()))).await?;
    }
    Ok(watch.per(n))
}

async fn timeout_yield(n: usize) -> Outcome {
    let watch = Stopwatch::start();
    for _ in 0..n {
        move_on_after(60.0, async { Ok(checkpoint().await?) }).await?;
    }
    Ok(watch.per(n))
}

async fn offload(tasks: usize, n: usize) -> Outcome {
    // As many threads as the peers take.
    let limiter = &CapacityLimiter::new(tasks);
    let watch = Stopwatch::start();
    nursery(async |nursery| {
        for _ in 0..tasks {
            nursery.start_soon(async {
                for i in 0..n / tasks {
                    to_thread::options().limiter(limiter).run_sync(move || i).await?;
                }
                Ok(())
            });
        }
        Ok(())
    })
    .await?;
    Ok(watch.per(n))
}

async fn cancel(n: usize, blocked: impl AsyncFn() -> Result<(), Error>) -> Outcome {
    let watch = nursery(async |nursery| {
        for _ in 0..n {
            nursery.start_soon(blocked());
        }
        // They start with the next tick, in which this task comes first.
        yield_times(2).await?;
        let watch = Stopwatch::start();
        nursery.cancel_scope().cancel();
        Ok(watch)
    })
    .await?;
    Ok(watch.per(n))
}

/// Nurseries within nurseries, and a task at the bottom that yields.
fn nest(
    depth: usize,
    bottom: Pin<Box<dyn Future<Output = Result<(), Error>>>>,
) -> Pin<Box<dyn Future<Output = Result<(), Error>>>> {
    match depth {
        0 => bottom,
        _ => Box::pin(nursery(async move |nursery| {
            nursery.start_soon(nest(depth - 1, bottom));
            Ok(())
        })),
    }
}

async fn nest_enter(depth: usize, n: usize) -> Outcome {
    let watch = Stopwatch::start();
    for _ in 0..n / depth {
        nest(depth, Box::pin(yield_times(0))).await?;
    }
    Ok(watch.per(n))
}

async fn nest_yield(depth: usize, n: usize) -> Outcome {
    let watch = Stopwatch::start();
    nest(depth, Box::pin(yield_times(n))).await?;
    Ok(watch.per(n))
}

async fn nest_wake(depth: usize, n: usize) -> Outcome {
    let belfry = Belfry::new(1);
    nursery(async |nursery| {
        let bottom = belfry.clone();
        nursery.start_soon(nest(
            depth,
            Box::pin(async move {
                bottom.answer(0).await;
                Ok(())
            }),
        ));
        Ok(belfry.time(n).await)
    })
    .await
}

async fn wake_one(tasks: usize, n: usize) -> Outcome {
    let belfry = Belfry::new(tasks);
    nursery(async |nursery| {
        for which in 0..tasks {
            let belfry = belfry.clone();
            nursery.start_soon(async move {
                belfry.answer(which).await;
                Ok(())
            });
        }
        yield_times(2).await?;
        Ok(belfry.time(n).await)
    })
    .await
}

async fn bytes(n: usize, blocked: impl AsyncFn() -> Result<(), Error>) -> Outcome {
    let scales = Scales::start();
    nursery(async |nursery| {
        for _ in 0..n {
            nursery.start_soon(blocked());
        }
        yield_times(2).await?;
        let figures = scales.per(n);
        nursery.cancel_scope().cancel();
        Ok(figures)
    })
    .await
}
