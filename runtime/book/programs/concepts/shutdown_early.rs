use terzetto::{Builder, CancelScope, Error, current_time, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        // The mistake: the time of grace counts from the start, and not from the signal.
        let working = CancelScope::with_timeout(5.0);
        let outcome = working.run(async { Ok(sleep(60.0).await?) }).await?;
        println!("nobody asked, and it ended after {} seconds: {outcome:?}", current_time());
        Ok(())
    })
}
