use terzetto::{Builder, Error, move_on_after, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        move_on_after(1.0, async {
            let work = sleep(60.0).await;
            // The mistake: the scope is still cancelled, so this fails at once.
            if let Err(error) = sleep(0.5).await {
                println!("the goodbye was not sent: {error}");
            }
            Ok(work?)
        })
        .await?;
        Ok(())
    })
}
