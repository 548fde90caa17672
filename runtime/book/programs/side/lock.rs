use terzetto::{Builder, Error, current_time, nursery, sleep, sync::Lock, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let lock = Lock::new();
        let lock = &lock;
        nursery(async |n| {
            for (delay, name) in ["first", "second", "third"].into_iter().enumerate() {
                n.start_soon(async move {
                    sleep(delay).await?;
                    let _guard = lock.acquire().await?;
                    println!("{name} has it at {}", current_time());
                    Ok(sleep(10).await?)
                });
            }
            Ok(())
        })
        .await
    })
}
