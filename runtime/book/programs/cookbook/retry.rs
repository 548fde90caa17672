use std::cell::Cell;
use terzetto::{Builder, Error, current_time, sleep, testing::MockClock};

/// Tries up to so many times, and waits longer each time. A cancellation is no reason to try again.
async fn retry<T>(times: u32, mut attempt: impl AsyncFnMut() -> Result<T, Error>) -> Result<T, Error> {
    let mut pause = 1.0;
    for _ in 1..times {
        match attempt().await {
            Err(error) if !error.is_cancelled() => {
                println!("{:.0}: {error}; again in {pause} seconds", current_time());
                sleep(pause).await?;
                pause *= 2.0; // many clients should add a random part
            }
            outcome => return outcome,
        }
    }
    attempt().await
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let attempts = Cell::new(0);
        let answer = retry(5, async || {
            attempts.set(attempts.get() + 1);
            if attempts.get() < 4 { Err(Error::msg("connection refused")) } else { Ok("an answer") }
        });
        println!("{} after {} seconds", answer.await?, current_time());
        Ok(())
    })
}
