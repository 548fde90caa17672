//! Each primitive of the runtime by itself: `cargo bench -p terzetto-benches`, and a part of a name to
//! run only some. Times are for one operation, the loop's turns in it included.

#![allow(missing_docs, reason = "criterion's macros make public items without documentation")]

use criterion::{Bencher, Criterion, criterion_group, criterion_main};
use std::{
    rc::Rc,
    time::{Duration, Instant},
};
use terzetto::{
    CancelScope, Error, channel, checkpoint, move_on_after, nursery, sleep,
    sync::{CapacityLimiter, Condition, Event, Lock, Semaphore},
    to_thread,
};

/// Times `work`, which does an operation a number of times, in a run that begins and ends uncounted.
fn in_run(bencher: &mut Bencher<'_>, work: impl AsyncFn(u64) -> Result<(), Error>) {
    bencher.iter_custom(|n| {
        let timed = terzetto::run(async {
            let start = Instant::now();
            work(n).await?;
            Ok(start.elapsed())
        });
        timed.expect("the operation succeeds")
    });
}

async fn yields(n: u64) -> Result<(), Error> {
    for _ in 0..n {
        checkpoint().await?;
    }
    Ok(())
}

fn tasks(criterion: &mut Criterion) {
    criterion.bench_function("checkpoint", |b| in_run(b, yields));
    criterion.bench_function("checkpoint of 1000 tasks", |b| {
        in_run(b, async |n| {
            nursery(async |nursery| {
                for i in 0..1000 {
                    nursery.start_soon(yields(n / 1000 + u64::from(i < n % 1000)));
                }
                Ok(())
            })
            .await
        });
    });
    criterion.bench_function("spawn and join", |b| {
        in_run(b, async |n| {
            nursery(async |nursery| {
                for _ in 0..n {
                    nursery.start_soon(async { Ok(()) });
                }
                Ok(())
            })
            .await
        });
    });
    criterion.bench_function("start and join", |b| {
        in_run(b, async |n| {
            nursery(async |nursery| {
                for _ in 0..n {
                    nursery.start(async |status| Ok(status.started(())?)).await?;
                }
                Ok(())
            })
            .await
        });
    });
    criterion.bench_function("nursery", |b| {
        in_run(b, async |n| {
            for _ in 0..n {
                nursery(async |_| Ok(())).await?;
            }
            Ok(())
        });
    });
}

fn cancellation(criterion: &mut Criterion) {
    criterion.bench_function("cancel scope", |b| {
        in_run(b, async |n| {
            for _ in 0..n {
                CancelScope::new().run(async { Ok(()) }).await?;
            }
            Ok(())
        });
    });
    criterion.bench_function("cancel scope, cancelled", |b| {
        in_run(b, async |n| {
            for _ in 0..n {
                let scope = CancelScope::new();
                scope.cancel();
                scope.run(async { Ok(checkpoint().await?) }).await?;
            }
            Ok(())
        });
    });
    criterion.bench_function("time limit around a checkpoint", |b| {
        in_run(b, async |n| {
            for _ in 0..n {
                move_on_after(60.0, async { Ok(checkpoint().await?) }).await?;
            }
            Ok(())
        });
    });
    criterion.bench_function("sleep of a microsecond", |b| {
        in_run(b, async |n| {
            for _ in 0..n {
                sleep(Duration::from_micros(1)).await?;
            }
            Ok(())
        });
    });
}

async fn ping_pong(capacity: usize, n: u64) -> Result<(), Error> {
    let (ask, asked) = channel(capacity);
    let (answer, answered) = channel(capacity);
    nursery(async |nursery| {
        nursery.start_soon(async move {
            while let Some(value) = asked.next().await? {
                answer.send(value).await?;
            }
            Ok(())
        });
        for i in 0..n {
            ask.send(i).await?;
            answered.receive().await?;
        }
        ask.close();
        Ok(())
    })
    .await
}

fn channels(criterion: &mut Criterion) {
    criterion.bench_function("channel, rendezvous and back", |b| in_run(b, async |n| ping_pong(0, n).await));
    criterion
        .bench_function("channel of 16, there and back", |b| in_run(b, async |n| ping_pong(16, n).await));
    criterion.bench_function("channel of 100, streaming", |b| {
        in_run(b, async |n| {
            let (sender, receiver) = channel(100);
            nursery(async |nursery| {
                nursery.start_soon(async move {
                    while receiver.next().await?.is_some() {}
                    Ok(())
                });
                for i in 0..n {
                    sender.send(i).await?;
                }
                sender.close();
                Ok(())
            })
            .await
        });
    });
}

fn synchronisation(criterion: &mut Criterion) {
    criterion.bench_function("lock, free", |b| {
        in_run(b, async |n| {
            let lock = Lock::new();
            for _ in 0..n {
                drop(lock.acquire().await?);
            }
            Ok(())
        });
    });
    criterion.bench_function("lock, between two tasks", |b| {
        in_run(b, async |n| {
            let lock = &Lock::new();
            nursery(async |nursery| {
                for i in 0..2 {
                    nursery.start_soon(async move {
                        for _ in 0..(n + i) / 2 {
                            let _held = lock.acquire().await?;
                            checkpoint().await?;
                        }
                        Ok(())
                    });
                }
                Ok(())
            })
            .await
        });
    });
    criterion.bench_function("semaphore, free", |b| {
        in_run(b, async |n| {
            let semaphore = Semaphore::new(1);
            for _ in 0..n {
                drop(semaphore.acquire().await?);
            }
            Ok(())
        });
    });
    criterion.bench_function("limiter, free", |b| {
        in_run(b, async |n| {
            let limiter = CapacityLimiter::new(1);
            for _ in 0..n {
                drop(limiter.acquire().await?);
            }
            Ok(())
        });
    });
    criterion.bench_function("event, set and waited for", |b| {
        in_run(b, async |n| {
            nursery(async |nursery| {
                for _ in 0..n {
                    let event = Rc::new(Event::new());
                    let other = event.clone();
                    nursery.start_soon(async move {
                        other.set();
                        Ok(())
                    });
                    event.wait().await?;
                }
                Ok(())
            })
            .await
        });
    });
    criterion.bench_function("condition, notified", |b| {
        in_run(b, async |n| {
            let condition = &Condition::new();
            nursery(async |nursery| {
                nursery.start_soon(async move {
                    let mut held = condition.acquire().await?;
                    for _ in 0..n {
                        condition.wait(&mut held).await?;
                    }
                    Ok(())
                });
                for _ in 0..n {
                    let held = loop {
                        let held = condition.acquire().await?;
                        if condition.tasks_waiting() > 0 {
                            break held;
                        }
                    };
                    condition.notify(1)?;
                    drop(held);
                }
                Ok(())
            })
            .await
        });
    });
}

fn threads(criterion: &mut Criterion) {
    criterion.bench_function("call in a thread", |b| {
        in_run(b, async |n| {
            for i in 0..n {
                to_thread::run_sync(move || i).await?;
            }
            Ok(())
        });
    });
}

criterion_group! {
    name = primitives;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2));
    targets = tasks, cancellation, channels, synchronisation, threads
}
criterion_main!(primitives);
