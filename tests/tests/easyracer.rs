//! Easy Racer: the example `easyracer` against a server that checks what it sees. The clock goes ten times as fast as
//! the world's.
//!
//! `TERZETTO_EASYRACER=100 cargo test --release -p terzetto-tests --test easyracer` runs all of it so many times in a
//! row, with ten thousand requests, or as many as the limit of open descriptors allows.

#[path = "../../runtime/examples/easyracer.rs"]
mod client;

use std::net::Ipv4Addr;
use terzetto::{Builder, Error, current_time, move_on_after, nursery, testing::MockClock};
use terzetto_tests::{easyracer::Course, load::raise_descriptor_limit};

/// How many times as fast the clock goes.
const RATE: f64 = 10.0;

/// How long a scenario may take, on that clock.
const PATIENCE: f64 = 120.0 * RATE;

/// All scenarios once; each round has an address of its own, since the system keeps ports for a while.
fn round(number: usize, requests: usize) -> Result<(), Error> {
    let clock = MockClock::new();
    clock.set_rate(RATE);
    Builder::new().clock(clock).run(async {
        let course = &Course::new(requests);
        nursery(async |n| {
            let server = course.serve(n, Ipv4Addr::new(127, 0, 1, 1 + (number % 250) as u8)).await?;
            let expected = [
                (2, 2, 1),
                (2, 2, 0),
                (requests, requests, requests - 1),
                (2, 2, 1),
                (2, 2, 0),
                (3, 3, 1),
                (2, 2, 1),
                (2, 2, 0),
                (10, 10, 0),
                (1, 1, 0),
                (3, 3, 0),
            ];
            for (scenario, expected) in (1..).zip(expected) {
                let begun = current_time();
                let race = client::scenario(server, scenario as u32, requests);
                let Some(answer) = move_on_after(PATIENCE, race).await? else {
                    panic!("scenario {scenario} in round {number} hangs: {course:?}")
                };
                assert_eq!(answer, "right", "scenario {scenario} in round {number}");
                let took = current_time() - begun;
                assert_eq!(course.seen(scenario).await?, expected, "scenario {scenario} in round {number}");
                if scenario == 4 {
                    assert!(took >= 1.0, "the timeout of one second came after {took} s");
                }
            }
            assert_eq!(course.resources(), (2, 2));
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}

#[test]
fn pat_05_all_scenarios_of_easy_racer_are_passed() {
    let rounds =
        std::env::var("TERZETTO_EASYRACER").ok().map(|rounds| rounds.parse().expect("a number of rounds"));
    let limit = raise_descriptor_limit().unwrap();
    // Client and server are in one process.
    let most = (limit.saturating_sub(200) / 2).min(10_000) as usize;
    let requests = if rounds.is_some() { most } else { most.min(500) };
    for number in 0..rounds.unwrap_or(1) {
        round(number, requests).unwrap();
    }
}
