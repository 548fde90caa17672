use futures_util::future::select;
use std::pin::pin;
use terzetto::{Builder, Deadlock, Error, nursery, sleep, sync::Lock, task_tree, testing::MockClock};

fn main() -> Result<(), Error> {
    let outcome = Builder::new().clock(MockClock::autojump()).run(async {
        let lock = Lock::new();
        nursery(async |n| {
            n.start_soon_named("first", async {
                let _guard = lock.acquire().await?;
                Ok(sleep(5.0).await?)
            });
            n.start_soon_named("watch", async {
                sleep(60.0).await?;
                println!("{}", task_tree());
                Ok(())
            });
            sleep(1.0).await?;
            let mut first_try = pin!(lock.acquire());
            select(first_try.as_mut(), pin!(sleep(0.5))).await;
            // The mistake: the first try is kept. It stands in the queue before this one.
            let _guard = lock.acquire().await?;
            drop(first_try.await?);
            Ok(())
        })
        .await
    });
    let error = outcome.expect_err("main waits for itself");
    println!("the run failed by a deadlock: {}", error.find::<Deadlock>().is_some());
    Ok(())
}
