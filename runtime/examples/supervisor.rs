//! A feed that breaks now and then is begun again; what has failed too often ends the program:
//! `cargo run -p terzetto --example supervisor`.

#![allow(clippy::print_stdout, reason = "an example talks")]

use terzetto::{
    Error, Receiver, Sender, channel, sleep,
    supervise::{Supervisor, TooManyRestarts},
    time::Backoff,
};

/// Sends some prices, and breaks: a connection that does not last.
async fn feed(prices: &Sender<u32>) -> Result<(), Error> {
    for step in 0..3 {
        sleep(0.01).await?;
        prices.send(100 + step).await?;
    }
    Err(Error::msg("the exchange has closed the connection"))
}

/// Writes down what the feed sends, for ever.
async fn record(prices: &Receiver<u32>) -> Result<(), Error> {
    while let Some(price) = prices.next().await? {
        println!("{price}");
    }
    Ok(())
}

/// The whole program, for a run.
pub async fn program() -> Result<(), Error> {
    let (sender, receiver) = channel(16);
    let supervisor = Supervisor::one_for_one()
        .restarts(2, 60)
        .backoff(Backoff::exponential(0.05).at_most(1).jitter(0.5))
        .task("feed", async || feed(&sender).await)
        .task("record", async || record(&receiver).await);
    let Err(error) = supervisor.run().await else { return Ok(()) };
    let Some(gave_up) = error.find::<TooManyRestarts>() else { return Err(error) };
    println!("{gave_up}");
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(program())
}
