//! The examples are cancelled, dropped and made to panic at each of their cancel points. Those that use sockets run in
//! the simulated network.
//!
//! Not here: `cores` and `guest`, which have runs of their own; `http` and `graceful_server`, which wait for signals of
//! the process; `easyracer`, which needs its server. `replicated_store` has a test of its own.

use std::cell::Cell;
use terzetto::{
    Error,
    testing::{Coverage, Everywhere, Strike, net::Network},
};

/// Includes an example as a module.
macro_rules! examples {
    ($($name:ident: $path:literal),+ $(,)?) => {$(
        #[path = $path]
        #[allow(dead_code, unreachable_pub, reason = "an example is a program of its own")]
        mod $name;
    )+};
}

examples! {
    chat: "../examples/chat.rs",
    crawler: "../examples/crawler.rs",
    happy_eyeballs: "../examples/happy_eyeballs.rs",
    hedged_request: "../examples/hedged_request.rs",
    pipeline: "../examples/pipeline.rs",
    rate_limited: "../examples/rate_limited.rs",
    supervisor: "../examples/supervisor.rs",
    walk: "../examples/walk.rs",
    work_queue: "../examples/work_queue.rs",
}

/// Strikes a program at each of its cancel points. Returns how many there are.
fn strike(program: impl AsyncFn() -> Result<(), Error>) -> Coverage {
    Everywhere::new(program).strikes([Strike::Cancel, Strike::Drop, Strike::Panic]).pairs(50).run()
}

/// As [`strike`], on a host of the simulated network.
fn strike_on_a_host(program: impl AsyncFn() -> Result<(), Error>) -> Coverage {
    strike(async || {
        let network = Network::install(7)?;
        network.host("here").run(program()).await
    })
}

#[test]
fn every_20_examples_without_sockets_end_when_struck_at_any_point() {
    for (name, coverage) in [
        ("chat", strike(chat::program)),
        ("supervisor", strike(supervisor::program)),
        ("work_queue", strike(work_queue::program)),
    ] {
        println!("{name}: {} points, {} runs", coverage.points, coverage.runs);
        assert!(coverage.runs > 3 * coverage.points && coverage.points > 10, "{name}: {coverage:?}");
    }
}

/// Strikes a program at some of its cancel points.
fn strike_at(points: impl Iterator<Item = usize>, program: impl AsyncFn() -> Result<(), Error>) {
    let tried = Cell::new(0);
    for point in points {
        for strike in [Strike::Cancel, Strike::Drop, Strike::Panic] {
            Everywhere::new(&program).only([(strike, point)]).check(|| tried.set(tried.get() + 1)).run();
        }
    }
    assert!(tried.get() >= 60);
}

#[test]
fn every_20_long_examples_are_struck_at_some_of_their_points() {
    // Thousands of points in three loops: those of the first rounds stand for the rest.
    strike_at(1..=60, pipeline::program);
    // Each run of it makes twenty files.
    strike_at((1..=240).step_by(12), async || walk::program(None).await);
}

#[test]
fn every_21_examples_with_sockets_end_when_struck_at_any_point() {
    for (name, coverage) in [
        ("crawler", strike_on_a_host(crawler::program)),
        ("happy_eyeballs", strike_on_a_host(happy_eyeballs::program)),
        ("hedged_request", strike_on_a_host(hedged_request::program)),
        ("rate_limited", strike_on_a_host(rate_limited::program)),
    ] {
        println!("{name}: {} points, {} runs", coverage.points, coverage.runs);
        assert!(coverage.runs > 3 * coverage.points && coverage.points > 5, "{name}: {coverage:?}");
    }
}
