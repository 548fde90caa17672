//! Clients of the echo server.

use super::server::receive_message;
use std::{cell::Cell, net::SocketAddr};
use terzetto::{
    Error,
    io::{SendStream, TcpStream},
    nursery, sleep, sleep_forever,
    sync::{Event, Semaphore},
};

/// How long a message is.
pub const MESSAGE: usize = 64;

/// The first half of a message, in either protocol.
const HALF: &[u8] = b"POST / HTTP/1.1\r\nhost: load\r\nco";

/// How many connect at once: the queue of a listener is short, and who does not fit waits a second.
const CONNECTING: usize = 256;

/// What a client does once it is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// So many messages, each answered before the next.
    Rounds(u32),
    /// The same as requests of HTTP.
    Posts(u32),
    /// Half a message, and then nothing.
    Stall,
    /// A byte now and then, as those do who want to keep a server busy.
    Drip,
}

/// The message that a client sends in a round: nobody else ever sends the same.
fn message(client: u64, round: u32) -> [u8; MESSAGE] {
    let mut seed = (client << 32 | u64::from(round)).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut message = [0; MESSAGE];
    for chunk in message.chunks_exact_mut(8) {
        // xorshift64 (Marsaglia 2003).
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        chunk.copy_from_slice(&seed.to_ne_bytes());
    }
    message
}

async fn client(
    stream: &TcpStream,
    number: u64,
    behaviour: Behaviour,
    done: &Cell<u64>,
) -> Result<(), Error> {
    match behaviour {
        Behaviour::Rounds(rounds) => {
            for round in 0..rounds {
                let sent = message(number, round);
                stream.send_all(&sent).await?;
                let mut answer = [0; MESSAGE];
                if !receive_message(stream, &mut answer).await? {
                    return Err(Error::msg(format!("client {number}: no answer in round {round}")));
                }
                if answer != sent {
                    return Err(Error::msg(format!("client {number}: a wrong answer in round {round}")));
                }
                done.set(done.get() + 1);
            }
        }
        Behaviour::Posts(rounds) => {
            for round in 0..rounds {
                let sent = message(number, round);
                if super::http::post(stream, &sent).await? != sent {
                    return Err(Error::msg(format!("client {number}: a wrong answer in round {round}")));
                }
                done.set(done.get() + 1);
            }
        }
        Behaviour::Stall => {
            stream.send_all(HALF).await?;
            sleep_forever().await?;
        }
        Behaviour::Drip => loop {
            // Ends when the server closes the connection: that is what it is about.
            if stream.send_all(b".").await.is_err_and(|error| !Error::from(error).is_cancelled()) {
                done.set(done.get() + 1);
                return Ok(());
            }
            sleep(0.05).await?;
        },
    }
    Ok(())
}

/// Runs clients, numbered from `first`, to their end; all are connected before any sends, and until
/// the last is done. Calls `all_connected` in between. Returns how many messages were answered (of those that drip: how many
/// connections the server has closed).
///
/// # Errors
/// If any message is lost or mixed up, or a connection fails.
pub async fn run_clients(
    address: SocketAddr,
    first: u64,
    count: u64,
    behaviour: Behaviour,
    all_connected: impl AsyncFnOnce() -> Result<(), Error>,
) -> Result<u64, Error> {
    let done = Cell::new(0);
    let (connecting, go) = (Semaphore::new(CONNECTING), Event::new());
    let (connected, all) = (Cell::new(0), Event::new());
    let (finished, all_finished) = (Cell::new(0), Event::new());
    nursery(async |n| {
        for number in first..first + count {
            let (connecting, go, done) = (&connecting, &go, &done);
            let (connected, all) = (&connected, &all);
            let (finished, all_finished) = (&finished, &all_finished);
            n.start_soon_named("a client", async move {
                let permit = connecting.acquire().await?;
                let stream = TcpStream::connect(address).await?;
                drop(permit);
                connected.set(connected.get() + 1);
                if connected.get() == count {
                    all.set();
                }
                go.wait().await?;
                client(&stream, number, behaviour, done).await?;
                // All stay connected until the last is done.
                finished.set(finished.get() + 1);
                if finished.get() == count {
                    all_finished.set();
                }
                Ok(all_finished.wait().await?)
            });
        }
        all.wait().await?;
        go.set();
        all_connected().await
    })
    .await?;
    Ok(done.get())
}
