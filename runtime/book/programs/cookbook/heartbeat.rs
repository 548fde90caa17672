use terzetto::{Builder, Error, nursery, sleep, testing::MockClock};

/// Runs `work`, and says each so many seconds that it still runs.
async fn with_heartbeat<T>(seconds: f64, work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    nursery(async |n| {
        n.start_soon(async {
            loop {
                sleep(seconds).await?;
                println!("it still runs");
            }
        });
        let value = work.await?;
        // The value is kept: to cancel the heartbeat is no error.
        n.cancel_scope().cancel();
        Ok(value)
    })
    .await
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let answer = with_heartbeat(10.0, async {
            sleep(25).await?;
            Ok(42)
        });
        println!("{}", answer.await?);
        Ok(())
    })
}
