//! A feed that breaks now and then is begun again; what has failed too often ends the program:
//! `cargo run -p terzetto --example supervisor`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks")]

use terzetto::{Error, channel, sleep, supervise::Supervisor};

/// Sends some prices, and breaks: a connection that does not last.
async fn feed(prices: &terzetto::Sender<f64>) -> Result<(), Error> {
    for step in 0..3 {
        sleep(0.1).await?;
        prices.send(100.0 + f64::from(step)).await?;
    }
    Err(Error::msg("the exchange has closed the connection"))
}

/// Writes down what the feed sends, for ever.
async fn record(prices: &terzetto::Receiver<f64>) -> Result<(), Error> {
    while let Some(price) = prices.next().await? {
        println!("{price}");
    }
    Ok(())
}

fn main() {
    let outcome = terzetto::run(async {
        let (sender, receiver) = channel(16);
        Supervisor::one_for_one()
            .restarts(3, 10.0)
            .backoff(0.1, 1.0)
            .task("feed", async || feed(&sender).await)
            .task("record", async || record(&receiver).await)
            .run()
            .await
    });
    if let Err(error) = outcome {
        eprintln!("{error}");
    }
}
