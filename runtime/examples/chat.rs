//! A chat whose clients read at different speeds, with each of the three answers to the question what happens to a slow
//! one: all wait for it, it misses messages, or it is thrown out. The clock is a mock clock, so no time is spent.
//!
//! ```sh
//! cargo run -p terzetto --example chat
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use terzetto::{
    Builder, Error, current_time, nursery, sleep,
    sync::{BroadcastReceiveError, BroadcastReceiver, SlowReceiver, broadcast},
    testing::MockClock,
};

async fn client(name: &str, pace: f64, messages: BroadcastReceiver<u32>) -> Result<(), Error> {
    let mut read = Vec::new();
    let end = loop {
        match messages.receive().await {
            Ok(message) => read.push(message.to_string()),
            Err(BroadcastReceiveError::Lagged(missed)) => read.push(format!("({missed} missed)")),
            Err(BroadcastReceiveError::Disconnected) => break "and is thrown out",
            Err(BroadcastReceiveError::EndOfChannel) => break "and all is said",
            Err(error) => return Err(error.into()),
        }
        sleep(pace).await?;
    };
    println!("  {name} reads {} {end}", read.join(" "));
    Ok(())
}

async fn chat(slow: SlowReceiver) -> Result<(), Error> {
    let start = current_time();
    let (say, messages) = broadcast(3, slow);
    nursery(async |n| {
        n.start_soon(client("Ada", 0.1, messages.clone()));
        n.start_soon(client("Bob", 3.5, messages));
        for message in 1..=8 {
            say.send(message).await?;
            sleep(1.0).await?;
        }
        println!("{slow:?}: all is sent after {} s", current_time() - start);
        say.close();
        Ok(())
    })
    .await
}

/// The whole program, for a run.
pub async fn program() -> Result<(), Error> {
    chat(SlowReceiver::Wait).await?;
    chat(SlowReceiver::Lag).await?;
    chat(SlowReceiver::Disconnect).await
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(program())
}
