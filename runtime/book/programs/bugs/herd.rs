use std::cell::Cell;
use terzetto::{Error, channel, checkpoint, nursery, testing::wait_all_tasks_blocked};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let woken = Cell::new(0);
        let (give, take) = channel(0);
        nursery(async |n| {
            for _ in 0..100 {
                let take = take.clone();
                n.start_soon(async {
                    let take = take;
                    take.receive().await?;
                    woken.set(woken.get() + 1);
                    Ok(())
                });
            }
            wait_all_tasks_blocked(0.0).await?;
            for job in 0..10 {
                give.send(job).await?; // it goes to the first that waits, and to nobody else
                checkpoint().await?;
            }
            println!("10 jobs, {} wake-ups", woken.get());
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
