//! A program with very many tasks, for measuring what looking at it costs: `benches/viewer`.
//!
//! `viewed TASKS SECONDS [SOCKET]` starts tasks that sleep for ever, in groups of a thousand, and lets one more task
//! yield all the time. It prints the turns of the loop in a second of wall time and of the process's time.
#![allow(clippy::print_stdout, reason = "that is what it is for")]

use std::{
    fs,
    time::{Duration, Instant},
};
use terzetto::{Builder, Error, checkpoint, nursery, sleep_forever};

/// Seconds of processor time that this thread has used, on Linux.
fn thread_seconds() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = text.split(' ').next().and_then(|word| word.parse::<f64>().ok());
    nanos.unwrap_or(f64::NAN) / 1e9
}

async fn group(size: usize) -> Result<(), Error> {
    nursery(async |n| {
        for _ in 0..size {
            n.start_soon_named("sleeper", async { Ok(sleep_forever().await?) });
        }
        Ok(())
    })
    .await
}

async fn busy(time: Duration) -> Result<(), Error> {
    // All have begun to sleep.
    for _ in 0..100 {
        checkpoint().await?;
    }
    let (begun, used, mut turns) = (Instant::now(), thread_seconds(), 0_u64);
    while begun.elapsed() < time {
        for _ in 0..1_000 {
            checkpoint().await?;
        }
        turns += 1_000;
    }
    let (elapsed, used) = (begun.elapsed().as_secs_f64(), thread_seconds() - used);
    println!(
        "{:.0} turns a second, {:.0} turns a second of its thread",
        turns as f64 / elapsed,
        turns as f64 / used
    );
    Ok(())
}

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().collect();
    let number =
        |place: usize, default| args.get(place).and_then(|text| text.parse().ok()).unwrap_or(default);
    let (tasks, seconds) = (number(1, 100_000), number(2, 30));
    let mut builder = Builder::new();
    if let Some(socket) = args.get(3) {
        builder = builder.task_socket(socket)?;
    }
    builder.run(nursery(async |n| {
        for _ in 0..tasks / 1_000 {
            n.start_soon_named("group", group(1_000));
        }
        n.start_soon_named("busy", async {
            busy(Duration::from_secs(seconds as u64)).await?;
            n.cancel_scope().cancel();
            Ok(())
        });
        Ok(())
    }))
}
