use terzetto::{Builder, Error, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let outcome = nursery(async |n| {
            n.start_soon(async {
                let slept = sleep(60).await;
                if slept.is_err() {
                    println!("the child is cancelled");
                }
                Ok(slept?)
            });
            sleep(1).await?;
            Err::<(), _>(Error::msg("the body fails"))
        });
        println!("{}", outcome.await.expect_err("it fails"));
        Ok(())
    })
}
