//! How many simulated steps a second: the same program in the simulated network of this runtime and in turmoil's.
//!
//! A server echoes messages of 64 bytes over TCP. Each client sends so many, one after the other, with a pause between
//! two. Each message takes 1 to 10 ms. A step is a message that arrives.
//!
//! ```sh
//! simulation terzetto CLIENTS ROUNDS PAUSE_IN_MS
//! simulation turmoil CLIENTS ROUNDS PAUSE_IN_MS
//! ```

#![allow(clippy::print_stdout, reason = "a program that prints figures")]

mod with_terzetto;
mod with_turmoil;

use std::{error::Error, time::Instant};

/// What the program does.
#[derive(Debug, Clone, Copy)]
pub struct Work {
    clients: u32,
    rounds: u32,
    /// The pause of a client after each message, in milliseconds.
    pause: u32,
}

const LEAST_LATENCY_MS: u32 = 1;
const MOST_LATENCY_MS: u32 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [peer, clients, rounds, pause] = &arguments[..] else {
        return Err("usage: simulation terzetto|turmoil CLIENTS ROUNDS PAUSE_IN_MS".into());
    };
    let work = Work { clients: clients.parse()?, rounds: rounds.parse()?, pause: pause.parse()? };
    let begun = Instant::now();
    let simulated = match peer.as_str() {
        "terzetto" => with_terzetto::run(work)?,
        "turmoil" => with_turmoil::run(work)?,
        other => return Err(format!("{other:?} is not one of the peers terzetto and turmoil").into()),
    };
    let (real, steps) = (begun.elapsed().as_secs_f64(), 2 * u64::from(work.clients) * u64::from(work.rounds));
    println!(
        "{peer}: {steps} steps in {real:.3} s, {:.0} steps a second; {simulated:.0} simulated seconds, {:.0} times as \
         fast as real time",
        steps as f64 / real,
        simulated / real
    );
    Ok(())
}
