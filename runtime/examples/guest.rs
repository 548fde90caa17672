//! A run as the guest of another runtime: one thread, tokio's loop, and tasks of both.
//!
//! ```sh
//! cargo run -p terzetto --example guest
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use terzetto::{Builder, lowlevel::GuestTick, nursery, sleep};
use tokio::{
    sync::{mpsc, oneshot},
    time,
};

/// Two tasks in a nursery, as in any other run.
async fn guest() -> Result<&'static str, terzetto::Error> {
    nursery(async |n| {
        n.start_soon(async {
            for i in 1..=3 {
                sleep(0.02).await?;
                println!("guest: task a, step {i}");
            }
            Ok(())
        });
        n.start_soon(async {
            sleep(0.05).await?;
            println!("guest: task b");
            Ok(())
        });
        Ok(())
    })
    .await?;
    Ok("the guest has nothing more to do")
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let host = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let local = tokio::task::LocalSet::new();
    local.block_on(&host, async {
        // The guest asks for its ticks through a channel; a task of the host's runs them.
        let (ask, mut asked) = mpsc::unbounded_channel::<GuestTick>();
        let (done, is_done) = oneshot::channel();
        let run = Builder::new().start_guest(
            guest(),
            move |tick| drop(ask.send(tick)),
            move |outcome| drop(done.send(outcome)),
        )?;
        tokio::task::spawn_local(async move {
            while let Some(tick) = asked.recv().await {
                tick.run();
            }
        });
        // Meanwhile the host does what it does.
        let own = tokio::task::spawn_local(async {
            let mut beat = time::interval(time::Duration::from_millis(15));
            loop {
                beat.tick().await;
                println!("host: tick");
            }
        });
        let outcome = is_done.await?;
        own.abort();
        drop(run);
        println!("{}", outcome?);
        Ok(())
    })
}
