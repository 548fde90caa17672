use terzetto::{Builder, Error, current_time, nursery, sleep, sync::Semaphore, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let semaphore = Semaphore::new(2);
        let semaphore = &semaphore;
        nursery(async |n| {
            for i in 0..4 {
                n.start_soon(async move {
                    sleep(i).await?;
                    let _permit = semaphore.acquire().await?;
                    println!("{i} at {}", current_time());
                    Ok(sleep(10).await?)
                });
            }
            Ok(())
        })
        .await
    })
}
