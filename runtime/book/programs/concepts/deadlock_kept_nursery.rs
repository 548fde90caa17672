use std::{future::poll_fn, pin::pin, task::Poll};
use terzetto::{Builder, Deadlock, Error, checkpoint, nursery, sleep, sync::Lock, testing::MockClock};

fn main() -> Result<(), Error> {
    let outcome = Builder::new().clock(MockClock::autojump()).run(async {
        let lock = Lock::new();
        let mut kept = pin!(nursery(async |n| {
            n.start_soon_named("holder", async {
                let _guard = lock.acquire().await?;
                Ok(sleep(1.0).await?)
            });
            Ok(())
        }));
        // The mistake: the future of the nursery is polled for a while, and then kept.
        for _ in 0..4 {
            poll_fn(|cx| Poll::Ready(kept.as_mut().poll(cx).is_ready())).await;
            checkpoint().await?;
        }
        let _guard = lock.acquire().await?;
        kept.await
    });
    let error = outcome.expect_err("main waits for itself");
    println!("the run failed by a deadlock: {}", error.find::<Deadlock>().is_some());
    Ok(())
}
