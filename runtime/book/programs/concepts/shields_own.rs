use terzetto::{Builder, CancelScope, Error, current_time, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        // The mistake: to expect that a shield holds off the scope's own cancellation.
        let shield = CancelScope::with_timeout(1.0).shielded(true);
        let outcome = shield.run(async { Ok(sleep(60.0).await?) }).await?;
        println!("{outcome:?} after {} seconds", current_time());
        Ok(())
    })
}
