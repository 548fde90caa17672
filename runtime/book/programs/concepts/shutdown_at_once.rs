use terzetto::{Builder, Error, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        nursery(async |n| {
            n.start_soon(async {
                println!("the file: first half");
                sleep(1.0).await?;
                println!("the file: second half");
                Ok(())
            });
            sleep(0.5).await?;
            // The mistake: the end comes for all at once, also for what needs half a second more.
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
