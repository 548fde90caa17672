use terzetto::{Builder, Error, nursery, sleep, testing::MockClock};

async fn flush() -> Result<(), Error> {
    sleep(1).await?;
    Err(Error::msg("the disk is full"))
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        nursery(async |n| {
            n.start_soon_named("flush", flush());
            sleep(2).await?;
            println!("everything is saved");
            Ok(())
        })
        .await
    })
}
