//! How long works must take to be worth a second core.
//!
//! Three works of equal length run on rayon's threads and on the executor's. The time for all items is compared with
//! the time that one thread needs.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use rayon::prelude::*;
use terzetto_executor::{ExecutorAsync, Options, Topology};

const ROUNDS: usize = 5;

/// Runs works of several lengths, and prints how many times faster than one thread they are.
pub fn measure() {
    let turns = turns_per_microsecond();
    println!("times faster than a loop on one thread, median of {ROUNDS} rounds");
    println!("{:>12} {:>12} {:>12}", "each work", "terzetto", "rayon");
    for micros in [0.3, 1.0, 3.0, 10.0, 100.0, 1000.0] {
        let spin = (turns * micros) as usize;
        let count = ((300_000.0 / (3.0 * micros)) as usize).clamp(30, 100_000);
        let mut ratios = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            let alone = time(|| (0..count).for_each(|n| drop(black_box(three(n, spin)))));
            let executor = time(|| terzetto(count, spin));
            let rayon = time(|| (0..count).into_par_iter().for_each(|n| drop(black_box(three(n, spin)))));
            ratios[0].push(alone.as_secs_f64() / executor.as_secs_f64());
            ratios[1].push(alone.as_secs_f64() / rayon.as_secs_f64());
        }
        let [executor, rayon] = ratios.map(|mut ratios| {
            ratios.sort_by(f64::total_cmp);
            ratios[ROUNDS / 2]
        });
        println!("{micros:>9} µs {executor:>12.2} {rayon:>12.2}");
    }
}

fn terzetto(count: usize, spin: usize) {
    let mut topology = Topology::new("grain");
    let [a, b, c] = ["a", "b", "c"].map(|name| topology.queue::<usize>(name));
    topology.source("count", &a, (0..count).map(|n| (n.to_string(), n)));
    topology.cpu("one", &a).to(&b).each(move |_, n| Ok(compute(n, spin)));
    topology.cpu("two", &b).to(&c).each(move |_, n| Ok(compute(n, spin)));
    topology.cpu("three", &c).each(move |_, n| {
        black_box(compute(n, spin));
        Ok(())
    });
    let executor = ExecutorAsync::new(topology, Options::new()).expect("a sound topology");
    assert_eq!(terzetto::run(executor.run()).expect("it runs").done, count);
}

fn three(n: usize, spin: usize) -> Box<usize> {
    Box::new(compute(compute(compute(n, spin), spin), spin))
}

/// Computes nothing useful, for so many turns.
fn compute(mut n: usize, turns: usize) -> usize {
    for _ in 0..turns {
        n = black_box(n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1));
    }
    n
}

fn time(run: impl FnOnce()) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

fn turns_per_microsecond() -> f64 {
    let turns = 20_000_000;
    let best = (0..3).map(|_| time(|| drop(black_box(Box::new(compute(1, turns)))))).min();
    turns as f64 / best.map_or(1.0, |time| time.as_secs_f64() * 1e6)
}
