use std::{cell::Cell, future::poll_fn, mem::forget, pin::Pin, task::Poll};
use terzetto::{Error, checkpoint, nursery};

/// A tick that passes, and what happens in it.
struct Trace(Cell<u32>);

impl Trace {
    #[track_caller]
    fn say(&self, who: &str, what: &str) {
        println!("{:2} {who}: {what}", self.0.get());
    }
}

// ANCHOR: shown
/// A nursery whose child borrows `trace`, and writes in each tick.
async fn block(name: &str, trace: &Trace) -> Result<(), Error> {
    nursery(async |n| {
        n.start_soon(async {
            loop {
                trace.say(name, "runs");
                checkpoint().await?;
            }
        });
        trace.say("main", "the body of the nursery ends");
        Ok(())
    })
    .await
}

/// Lets so many ticks pass, and polls a future in each of them.
async fn ticks(count: u32, trace: &Trace, polled: &mut Pin<Box<impl Future>>) -> Result<(), Error> {
    for _ in 0..count {
        poll_fn(|cx| Poll::Ready(polled.as_mut().poll(cx).is_ready())).await;
        checkpoint().await?;
        trace.0.set(trace.0.get() + 1);
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let trace = Trace(Cell::new(1));
        let mut nothing = Box::pin(std::future::pending::<()>());

        let mut first = Box::pin(block("first child", &trace));
        ticks(3, &trace, &mut first).await?;
        trace.say("main", "forgets the nursery");
        forget(first); // its destructor will never be called
        ticks(3, &trace, &mut nothing).await?;

        let mut second = Box::pin(block("second child", &trace));
        ticks(3, &trace, &mut second).await?;
        trace.say("main", "drops the nursery, and its child with it");
        drop(second);
        ticks(3, &trace, &mut nothing).await?;
        trace.say("main", "ends");
        Ok(())
    })
}
// ANCHOR_END: shown
