use std::cell::Cell;
use terzetto::{Builder, Error, current_time, fail_after, move_on_after, sleep, testing::MockClock};

/// Tries again after each attempt that takes too long. All attempts together have a limit, too.
async fn with_retries<T>(
    each: f64,
    all: f64,
    mut attempt: impl AsyncFnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    fail_after(all, async {
        loop {
            if let Some(value) = move_on_after(each, attempt()).await? {
                return Ok(value);
            }
        }
    })
    .await
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let delay = Cell::new(4.0);
        let answer = with_retries(1.0, 10.0, async || {
            delay.set(delay.get() / 2.0);
            sleep(delay.get()).await?;
            Ok("an answer")
        });
        println!("{} after {} seconds", answer.await?, current_time());
        let never = with_retries(1.0, 5.0, async || Ok(sleep(60.0).await?));
        println!("{} at {} seconds", never.await.expect_err("it never ends"), current_time());
        Ok(())
    })
}
