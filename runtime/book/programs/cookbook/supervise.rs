use std::cell::Cell;
use terzetto::{Builder, Error, current_time, nursery, sleep, testing::MockClock};

/// Starts a service again whenever it fails, up to `most` times in a row. A service that ends well is done.
async fn supervise(
    name: &str,
    most: u32,
    mut service: impl AsyncFnMut() -> Result<(), Error>,
) -> Result<(), Error> {
    let mut failures = 0;
    loop {
        let began = current_time();
        match service().await {
            Err(error) if !error.is_cancelled() => {
                if current_time() - began > 60.0 {
                    failures = 0; // it had worked for a while
                }
                failures += 1;
                println!("{:3.0} {name} failed ({failures}): {error}", current_time());
                if failures == most {
                    return Err(error);
                }
                sleep(f64::from(failures)).await?;
            }
            outcome => return outcome,
        }
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let lives = Cell::new(0);
        nursery(async |n| {
            n.start_soon_named(
                "mail",
                supervise("mail", 3, async || {
                    lives.set(lives.get() + 1);
                    sleep(if lives.get() == 3 { 100.0 } else { 1.0 }).await?;
                    Err(Error::msg("the server hung up"))
                }),
            );
            sleep(110.0).await?;
            println!("{:3.0} the program ends; mail was started {} times", current_time(), lives.get());
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
