use std::{cell::Cell, future::poll_fn, mem::forget, task::Poll};
use terzetto::{Error, checkpoint, nursery};

// ANCHOR: shown
/// Polls a future so many times, in as many ticks.
async fn poll_some(times: usize, future: &mut (impl Future + Unpin)) -> Result<(), Error> {
    for _ in 0..times {
        poll_fn(|cx| Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx).is_ready())).await;
        checkpoint().await?;
    }
    Ok(())
}

/// A nursery whose child borrows `steps`, and counts in each tick.
async fn count(steps: &Cell<u32>) -> Result<(), Error> {
    nursery(async |n| {
        n.start_soon(async {
            loop {
                steps.set(steps.get() + 1);
                checkpoint().await?;
            }
        });
        Ok(())
    })
    .await
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let steps = Cell::new(0);
        let mut block = Box::pin(count(&steps));
        poll_some(4, &mut block).await?;
        println!("polled four times: {} steps", steps.get());
        forget(block); // its destructor will never be called
        for _ in 0..10 {
            checkpoint().await?;
        }
        println!("ten ticks after it was forgotten: {} steps", steps.get());

        let mut block = Box::pin(count(&steps));
        poll_some(4, &mut block).await?;
        println!("another one, polled four times: {} steps", steps.get());
        drop(block);
        println!("dropped, and its child with it: {} steps", steps.get());
        Ok(())
    })
}
// ANCHOR_END: shown
