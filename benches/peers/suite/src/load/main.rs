//! Loads an echo server, the same for every peer: `echo-load CONNECTIONS SECONDS RATE|max SERVER [ARGUMENT…]`
//! starts the server, which prints its address, and prints what it has measured.
//!
//! With `max` each connection sends its next message when it has the answer to the one before: the
//! throughput of a server that is never idle. With a rate, messages are due at fixed times whether or
//! not answers have come, and latency counts from when a message was due: so a server that stalls
//! cannot hide it.

mod connection;
mod latency;
mod server;

use connection::{Connection, MESSAGE};
use latency::Latencies;
use mio::{Events, Interest, Poll, Token};
use server::Server;
use std::{
    io::{self, Write},
    process::ExitCode,
    time::{Duration, Instant},
};

/// Connections warm up for so long, uncounted.
const WARM_UP: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _gone = writeln!(io::stderr(), "echo-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> io::Result<()> {
    let usage = || io::Error::other("usage: echo-load CONNECTIONS SECONDS RATE|max SERVER [ARGUMENT…]");
    let [connections, seconds, rate, server @ ..] = arguments else { return Err(usage()) };
    let connections = connections.parse().map_err(|_| usage())?;
    let seconds = seconds.parse().map_err(|_| usage())?;
    let rate = match rate.as_str() {
        "max" => None,
        rate => Some(rate.parse().map_err(|_| usage())?),
    };
    let server = Server::start(server)?;
    let mut load = Load::connect(&server, connections)?;
    load.drive(WARM_UP, rate)?;
    let cpu = server.cpu_time();
    let start = Instant::now();
    load.latencies.clear();
    load.drive(Duration::from_secs_f64(seconds), rate)?;
    let (elapsed, cpu) = (start.elapsed().as_secs_f64(), server.cpu_time() - cpu);
    let done = load.latencies.count() as f64;
    let mut out = io::stdout().lock();
    writeln!(out, "requests/s {:.0}", done / elapsed)?;
    writeln!(out, "cpu-us {:.3}", cpu.as_secs_f64() * 1e6 / done)?;
    for (name, quantile) in [("p50-us", 0.5), ("p99-us", 0.99), ("p99.9-us", 0.999)] {
        writeln!(out, "{name} {:.1}", load.latencies.quantile(quantile).as_secs_f64() * 1e6)?;
    }
    Ok(())
}

struct Load {
    poll: Poll,
    connections: Vec<Connection>,
    latencies: Latencies,
}

impl Load {
    fn connect(server: &Server, count: usize) -> io::Result<Load> {
        let poll = Poll::new()?;
        let mut connections = Vec::new();
        for token in 0..count {
            let mut connection = Connection::open(server.address())?;
            poll.registry().register(connection.stream(), Token(token), Interest::READABLE)?;
            connections.push(connection);
        }
        Ok(Load { poll, connections, latencies: Latencies::default() })
    }

    /// Sends and receives for `duration`, then waits for the answers that are out.
    fn drive(&mut self, duration: Duration, rate: Option<f64>) -> io::Result<()> {
        let start = Instant::now();
        let end = start + duration;
        if rate.is_none() {
            for connection in &mut self.connections {
                connection.send(start)?;
            }
        }
        let mut events = Events::with_capacity(1024);
        let mut scheduled = 0;
        loop {
            let now = Instant::now();
            let over = now >= end;
            if over && self.connections.iter().all(Connection::is_idle) {
                return Ok(());
            }
            if let Some(rate) = rate.filter(|_| !over) {
                while let Some(due) = due(start, scheduled, rate).filter(|due| *due <= now) {
                    let which = scheduled % self.connections.len();
                    self.connections[which].send(due)?;
                    scheduled += 1;
                }
            }
            // Paced messages are closer together than the finest timeout: then it looks and looks.
            let timeout = if rate.is_some() && !over { Duration::ZERO } else { Duration::from_secs(10) };
            self.poll.poll(&mut events, Some(timeout))?;
            if events.is_empty() && !timeout.is_zero() {
                return Err(io::Error::other("the server does not answer"));
            }
            for event in &events {
                let connection = &mut self.connections[event.token().0];
                while let Some(sent) = connection.receive()? {
                    let now = Instant::now();
                    self.latencies.add(now - sent);
                    if rate.is_none() && now < end {
                        connection.send(now)?;
                    }
                }
            }
        }
    }
}

/// When message number `which` is due.
fn due(start: Instant, which: usize, rate: f64) -> Option<Instant> {
    start.checked_add(Duration::from_secs_f64(which as f64 / rate))
}

const _: () = assert!(MESSAGE == 64, "the tables say 64 bytes");
