use terzetto::{Builder, Error, current_time, nursery, sleep, sync::Lock, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let lock = Lock::new();
        nursery(async |n| {
            n.start_soon(async {
                let _guard = lock.acquire().await?;
                sleep(1).await?;
                Ok(())
            });
            sleep(0.5).await?;
            // The other task goes on, whatever this one waits in.
            let _guard = lock.acquire().await?;
            println!("got the lock after {} seconds", current_time());
            Ok(())
        })
        .await
    })
}
