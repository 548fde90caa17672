//! The network under load: ten thousand connections, clients that are killed, clients that dawdle,
//! and a soak. `.ci/load` and `.ci/soak` run it.
//!
//! The clients live in processes of their own: a process has too few descriptors for both ends.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, Command, ExitCode, Stdio},
    time::Instant,
};
use terzetto::{
    Error, current_time,
    io::{TcpListener, open_tcp_listeners},
    lowlevel::current_statistics,
    move_on_after, nursery, sleep, to_thread,
};
use terzetto_tests::load::{
    Behaviour, EchoServer, Protocol, Tally, open_descriptors, raise_descriptor_limit, resident_bytes,
    run_clients,
};

const USAGE: &str = "load echo CONNECTIONS ROUNDS | load http CONNECTIONS ROUNDS | load kill CONNECTIONS | load drip CONNECTIONS | load soak MINUTES";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = raise_descriptor_limit().map_err(Error::from).and_then(|_| match words.as_slice() {
        ["echo", connections, rounds] => echo(Protocol::Plain, connections.parse()?, rounds.parse()?),
        ["http", connections, rounds] => echo(Protocol::Http, connections.parse()?, rounds.parse()?),
        ["kill", connections] => kill(connections.parse()?),
        ["drip", connections] => drip(connections.parse()?),
        ["soak", minutes] => soak(minutes.parse()?),
        ["clients", address, first, count, behaviour] => {
            clients(address.parse()?, first.parse()?, count.parse()?, behaviour)
        }
        _ => Err(Error::msg(USAGE)),
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("failed: {error:?}"));
            ExitCode::FAILURE
        }
    }
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _gone = writeln!(out, "{line}").and_then(|()| out.flush());
}

/// The child process: says "connected", and how many messages were answered.
fn clients(address: SocketAddr, first: u64, count: u64, behaviour: &str) -> Result<(), Error> {
    let behaviour = match behaviour {
        "stall" => Behaviour::Stall,
        "drip" => Behaviour::Drip,
        other => match other.strip_prefix("http:") {
            Some(rounds) => Behaviour::Posts(rounds.parse()?),
            None => Behaviour::Rounds(other.parse()?),
        },
    };
    let done = terzetto::run(run_clients(address, first, count, behaviour, async || {
        say("connected");
        Ok(())
    }))?;
    say(&done.to_string());
    Ok(())
}

/// Clients in another process.
struct Clients {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Clients {
    fn start(address: SocketAddr, first: u64, count: u64, behaviour: &str) -> Result<Clients, Error> {
        let words = [&address.to_string(), &first.to_string(), &count.to_string(), behaviour];
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.arg("clients").args(words).stdout(Stdio::piped()).spawn()?;
        let output = child.stdout.take().ok_or_else(|| Error::msg("the child has no output"))?;
        Ok(Clients { child, output: BufReader::new(output) })
    }

    /// Waits until all are connected.
    async fn connected(mut self) -> Result<Clients, Error> {
        let wait = move || {
            let mut line = String::new();
            self.output.read_line(&mut line).map(|_| (self, line))
        };
        let (clients, line) = to_thread::run_sync(wait).await??;
        match line.trim() {
            "connected" => Ok(clients),
            other => Err(Error::msg(format!("the clients have not connected: {other}"))),
        }
    }

    /// Waits for the clients' end; returns what they have counted.
    async fn finished(mut self) -> Result<u64, Error> {
        let wait = move || {
            let mut text = String::new();
            self.output.read_to_string(&mut text).and_then(|_| self.child.wait()).map(|_| text)
        };
        let text = to_thread::run_sync(wait).await??;
        text.trim().parse().map_err(|_| Error::msg(format!("the clients say: {text}")))
    }

    fn kill(mut self) -> Result<(), Error> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }
}

/// Clients do not outlive a check that fails.
impl Drop for Clients {
    fn drop(&mut self) {
        let _ended = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// Serves while `inside` runs; then cancels, and checks that nothing is left. The clients that
/// `inside` returns are connected until after that.
fn with_server(
    protocol: Protocol,
    patience: f64,
    inside: impl AsyncFnOnce(SocketAddr, &Tally) -> Result<Option<Clients>, Error>,
) -> Result<(), Error> {
    let before = open_descriptors();
    let tally = Tally::default();
    let connected = terzetto::run(async {
        let server = EchoServer { protocol, patience, tally: &tally };
        let listeners: Vec<TcpListener> = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
        let address = listeners[0].local_addr()?;
        let mut cancelled = (0, 0.0);
        let connected = nursery(async |n| {
            n.start(async |status| server.serve(listeners, status).await).await?;
            let connected = inside(address, &tally).await?;
            cancelled = (tally.open.get(), current_time());
            n.cancel_scope().cancel();
            Ok(connected)
        })
        .await?;
        let took = current_time() - cancelled.1;
        say(&format!("cancelled with {} connections open: all ended after {took:.3} s", cancelled.0));
        ensure(tally.open.get() == 0 && current_statistics().tasks_living == 1, "a task is left")?;
        Ok(connected)
    })?;
    connected.map_or(Ok(()), Clients::kill)?;
    let after = open_descriptors();
    say(&format!("descriptors before and after: {before:?}, {after:?}"));
    ensure(before == after, "descriptors have leaked")
}

fn ensure(holds: bool, otherwise: &str) -> Result<(), Error> {
    if holds { Ok(()) } else { Err(Error::msg(otherwise)) }
}

/// Waits until something holds, for ten seconds.
async fn until(holds: impl Fn() -> bool, otherwise: &str) -> Result<(), Error> {
    let waited = move_on_after(10.0, async {
        while !holds() {
            sleep(0.01).await?;
        }
        Ok(())
    });
    waited.await?.ok_or_else(|| Error::msg(otherwise))
}

/// Messages over many connections, none lost or mixed up; then many more that stay open, for the
/// cancellation.
fn echo(protocol: Protocol, connections: u64, rounds: u64) -> Result<(), Error> {
    with_server(protocol, 60.0, async |address, tally| {
        let behaviour = match protocol {
            Protocol::Plain => rounds.to_string(),
            Protocol::Http => format!("http:{rounds}"),
        };
        let clients = Clients::start(address, 0, connections, &behaviour)?.connected().await?;
        let start = Instant::now();
        let done = clients.finished().await?;
        let seconds = start.elapsed().as_secs_f64();
        let rate = done as f64 / seconds;
        say(&format!(
            "{connections} connections, {done} messages answered in {seconds:.2} s: {rate:.0} a second"
        ));
        ensure(done == connections * rounds, "messages are missing")?;
        ensure(tally.messages.get() == done, "the server has counted other messages")?;
        ensure(tally.most.get() as u64 == connections, "not all were connected at once")?;
        until(|| tally.open.get() == 0, "connections stay open after their clients' end").await?;
        ensure(tally.broken.get() == 0, "connections broke")?;
        // These are amid a message when the server is cancelled.
        let stalled = Clients::start(address, 0, connections, "stall")?.connected().await?;
        until(|| tally.open.get() as u64 == connections, "not all were accepted").await?;
        Ok(Some(stalled))
    })
}

/// Half of the clients are killed amid a message; the others notice nothing.
fn kill(connections: u64) -> Result<(), Error> {
    let half = connections / 2;
    with_server(Protocol::Plain, 60.0, async |address, tally| {
        let victims = Clients::start(address, 0, half, "stall")?.connected().await?;
        let others = Clients::start(address, half, connections - half, "20")?.connected().await?;
        until(|| tally.most.get() as u64 == connections, "not all were accepted").await?;
        victims.kill()?;
        let done = others.finished().await?;
        until(|| tally.open.get() == 0, "connections stay open after their clients' death").await?;
        say(&format!(
            "{half} killed amid a message, {done} messages answered to the others; broken: {}, ended well: {}",
            tally.broken.get(),
            tally.ended.get()
        ));
        ensure(done == 20 * (connections - half), "messages are missing")?;
        ensure(tally.broken.get() as u64 == half, "not all of the killed were noticed")?;
        Ok(None)
    })
}

/// Clients that send a byte now and then are dropped after a second.
fn drip(connections: u64) -> Result<(), Error> {
    with_server(Protocol::Plain, 1.0, async |address, tally| {
        let dawdlers = Clients::start(address, 0, connections, "drip")?.connected().await?;
        let start = Instant::now();
        let dropped = dawdlers.finished().await?;
        let seconds = start.elapsed().as_secs_f64();
        say(&format!("{dropped} of {connections} dawdling clients were dropped after {seconds:.2} s"));
        ensure(dropped == connections, "some were not dropped")?;
        ensure(tally.too_slow.get() as u64 == connections, "the server has counted others")?;
        Ok(None)
    })
}

/// Connections that come and go, for long: memory stays flat.
fn soak(minutes: f64) -> Result<(), Error> {
    const CONNECTIONS: u64 = 500;
    with_server(Protocol::Plain, 10.0, async |address, tally| {
        let end = Instant::now();
        let (mut batches, mut settled, mut last) = (0u64, None, 0.0);
        while end.elapsed().as_secs_f64() < 60.0 * minutes {
            // Some end well, some are killed.
            let clients = Clients::start(address, 0, CONNECTIONS, "50")?.connected().await?;
            let victims = Clients::start(address, CONNECTIONS, CONNECTIONS / 5, "stall")?.connected().await?;
            let done = clients.finished().await?;
            ensure(done == CONNECTIONS * 50, "messages are missing")?;
            victims.kill()?;
            until(|| tally.open.get() == 0, "connections stay open").await?;
            batches += 1;
            let memory = resident_bytes().unwrap_or(0);
            // Buffers and tables have found their size after some batches.
            if batches == 20 {
                settled = Some(memory);
            }
            if end.elapsed().as_secs_f64() - last >= 10.0 {
                last = end.elapsed().as_secs_f64();
                let (messages, kib) = (tally.messages.get(), memory / 1024);
                say(&format!("{last:6.0} s: {batches} batches, {messages} messages, {kib} KiB resident"));
            }
        }
        let memory = resident_bytes().unwrap_or(0);
        let settled = settled.ok_or_else(|| Error::msg("too short to tell"))?;
        say(&format!("resident after 20 batches: {} KiB, at the end: {} KiB", settled / 1024, memory / 1024));
        ensure(memory as f64 <= settled as f64 * 1.05 + 524_288.0, "memory has grown")?;
        Ok(None)
    })
}
