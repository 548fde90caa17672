//! Steps a second of `Explore` and of shuttle, on the same small program under random schedules.
//!
//! Four tasks make a hundred steps each. Between two of them a task gives way to the others, or it holds a lock during
//! each. No schedule fails. With the lock, the program has few schedules in this runtime, since the lock goes to whoever
//! waits longest; `Explore` says that these are all, and ends. Only schedules that were tried count.
//!
//! `cargo run --release -p terzetto-schedules` in `benches/peers` prints the steps a second of each, in millions.

#![allow(clippy::print_stdout, reason = "a benchmark prints its result")]

use std::{cell::Cell, time::Instant};

const TASKS: usize = 4;
const STEPS: usize = 100;
const SCHEDULES: usize = 2000;

/// Runs `explore`, which returns how many schedules it has tried, and prints how many steps there were in a second, in millions.
fn measure(name: &str, explore: impl Fn() -> usize) {
    // The first time warms up.
    explore();
    let start = Instant::now();
    let schedules = explore();
    let steps = (schedules * TASKS * STEPS) as f64;
    let speed = steps / start.elapsed().as_secs_f64() / 1e6;
    println!("{name}: {schedules} schedules, {speed:.2} million steps/s");
}

fn with_terzetto(locks: bool) -> usize {
    use terzetto::{checkpoint, nursery, sync::Lock, testing::Explore};
    let program = async || {
        let (lock, sum) = (Lock::new(), Cell::new(0));
        nursery(async |n| {
            for _ in 0..TASKS {
                n.start_soon(async {
                    for _ in 0..STEPS {
                        let _guard = if locks { Some(lock.acquire().await?) } else { None };
                        sum.set(sum.get() + 1);
                        if !locks {
                            checkpoint().await?;
                        }
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        assert_eq!(sum.get(), TASKS * STEPS);
        Ok(())
    };
    // Half of the schedules are systematic, a quarter random, a quarter by priorities.
    Explore::new(program).schedules(SCHEDULES).run().schedules
}

fn with_shuttle(locks: bool) -> usize {
    use shuttle::{
        future,
        sync::{
            Arc, Mutex,
            atomic::{AtomicUsize, Ordering},
        },
    };
    let program = move || {
        let (lock, sum) = (Arc::new(Mutex::new(())), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (lock, sum) = (lock.clone(), sum.clone());
                future::spawn(async move {
                    for _ in 0..STEPS {
                        if locks {
                            let _guard = lock.lock().unwrap();
                            sum.fetch_add(1, Ordering::SeqCst);
                        } else {
                            future::yield_now().await;
                        }
                    }
                })
            })
            .collect();
        future::block_on(async {
            for task in tasks {
                task.await.unwrap();
            }
        });
    };
    shuttle::check_random(program, SCHEDULES);
    SCHEDULES
}

fn main() {
    measure("Explore, giving way", || with_terzetto(false));
    measure("shuttle, giving way", || with_shuttle(false));
    measure("Explore, a lock", || with_terzetto(true));
    measure("shuttle, a lock", || with_shuttle(true));
}
