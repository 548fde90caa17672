use terzetto::{Builder, Error, move_on_after, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let outcome = move_on_after(1.0, async {
            // The mistake: every error counts as a reason to try again, also the cancellation.
            for attempt in 1..=4 {
                match sleep(60.0).await {
                    Ok(()) => return Ok("done"),
                    Err(error) => println!("attempt {attempt} failed: {error}"),
                }
            }
            Ok("gave up")
        });
        println!("{:?}", outcome.await?);
        Ok(())
    })
}
