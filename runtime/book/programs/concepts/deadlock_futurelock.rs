use std::{future::poll_fn, pin::pin, task::Poll};
use terzetto::{Builder, Deadlock, Error, checkpoint, sleep, sync::Semaphore, testing::MockClock};

fn main() -> Result<(), Error> {
    let outcome = Builder::new().clock(MockClock::autojump()).run(async {
        let door = Semaphore::new(1);
        let mut visit = pin!(async {
            let _permit = door.acquire().await?;
            sleep(1.0).await?;
            Ok::<_, Error>(())
        });
        // The mistake: a future is polled for a while, and then kept without being polled.
        for _ in 0..2 {
            poll_fn(|cx| Poll::Ready(visit.as_mut().poll(cx).is_ready())).await;
            checkpoint().await?;
        }
        println!("the visitor is inside: {} permits are left", door.value());
        let _permit = door.acquire().await?;
        visit.await
    });
    let error = outcome.expect_err("main waits for itself");
    println!("the run failed by a deadlock: {}", error.find::<Deadlock>().is_some());
    Ok(())
}
