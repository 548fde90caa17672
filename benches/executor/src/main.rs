//! The cost of an item that passes three works which do nothing: here, with rayon, with tokio's channels.
//! `overhead [ITEMS]`, `grain` and `busy [COUPLES]`: see `benches/executor/run`.
#![allow(clippy::print_stdout, reason = "a benchmark prints")]

mod busy;
mod grain;
mod pipelines;

use std::time::{Duration, Instant};

use pipelines::{LIMIT, Pipeline};

const ROUNDS: usize = 7;

fn main() {
    let mut args = std::env::args().skip(1);
    let what = args.next();
    let count = args.next().and_then(|text| text.parse().ok());
    match what.as_deref() {
        Some("overhead") => {
            overhead(count.unwrap_or(100_000), args.next().and_then(|text| text.parse().ok()))
        }
        Some("grain") => grain::measure(),
        Some("busy") => busy::measure(count.unwrap_or(40)),
        _ => println!("usage: overhead [ITEMS [FLUIDIMAGE_SECONDS_PER_ITEM]] | grain | busy [COUPLES]"),
    }
}

/// Runs all pipelines in turn, several times, so that each has the same machine. Prints the medians.
fn overhead(items: usize, fluidimage: Option<f64>) {
    let pipelines = pipelines::all();
    let mut times = vec![Vec::new(); pipelines.len()];
    for _ in 0..ROUNDS {
        for (pipeline, times) in pipelines.iter().zip(&mut times) {
            times.push(time(pipeline, items));
        }
    }
    let medians: Vec<f64> = times
        .into_iter()
        .map(|mut times| {
            times.sort();
            times[ROUNDS / 2].as_secs_f64()
        })
        .collect();
    println!("{items} items through 3 empty works, queues of {LIMIT}, median of {ROUNDS} rounds");
    for (pipeline, seconds) in pipelines.iter().zip(medians) {
        let count = pipeline.count(items);
        let each = seconds / count as f64;
        let beside =
            fluidimage.map(|theirs| format!("{:9.0} x fluidimage", theirs / each)).unwrap_or_default();
        println!("{:44} {:8.0} ns an item {beside}", pipeline.name, each * 1e9);
    }
    if let Some(theirs) = fluidimage {
        println!("{:44} {:8.0} ns an item", "fluidimage, exec_async", theirs * 1e9);
    }
}

fn time(pipeline: &Pipeline, items: usize) -> Duration {
    let count = pipeline.count(items);
    let start = Instant::now();
    let done = (pipeline.run)(count);
    let elapsed = start.elapsed();
    assert_eq!(done, count, "{}", pipeline.name);
    elapsed
}
