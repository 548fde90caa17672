use terzetto::{Builder, CancelScope, Error, current_time, move_on_after, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        move_on_after(1.0, async {
            let shield = CancelScope::new().shielded(true);
            // The mistake: a shield without a deadline of its own.
            shield.run(async { Ok(sleep(3600.0).await?) }).await
        })
        .await?;
        println!("the limit was one second; now it is {}", current_time());
        Ok(())
    })
}
