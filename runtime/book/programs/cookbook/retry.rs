use std::cell::Cell;
use terzetto::{
    Builder, Error, current_time,
    testing::MockClock,
    time::{Backoff, Retry},
};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        // Pauses of 1, 2, 4, 8, 8, … seconds. Many clients should add `jitter(1.0)`, so that they spread.
        let retry = Retry::new(Backoff::exponential(1).at_most(8)).attempts(5).timeout(60);
        let attempts = Cell::new(0);
        let answer = retry.run(async || {
            attempts.set(attempts.get() + 1);
            println!("{:.0}: attempt {}", current_time(), attempts.get());
            if attempts.get() < 4 { Err(Error::msg("connection refused")) } else { Ok("an answer") }
        });
        println!("{}", answer.await?);

        let never = retry.run(async || Err::<(), _>(Error::msg("connection refused")));
        println!("{}", never.await.expect_err("it gives up"));
        Ok(())
    })
}
