use terzetto::{Builder, CancelScope, Error, current_time, move_on_after, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        move_on_after(1, async {
            let slept = sleep(60).await;
            let shield = CancelScope::new().shielded(true);
            let cleanup = shield.run(async {
                sleep(2).await?;
                println!("cleaned up at {}", current_time());
                Ok(())
            });
            cleanup.await?;
            Ok(slept?)
        })
        .await?;
        Ok(())
    })
}
