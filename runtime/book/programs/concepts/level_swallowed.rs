use terzetto::{Builder, Error, current_time, nursery, sleep, testing::MockClock};

async fn heartbeat() -> Result<(), Error> {
    for beat in 1..=3 {
        // The mistake: `let _` swallows the cancellation with every other error.
        let _ = sleep(1.0).await;
        println!("{:.1} beat {beat}", current_time());
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        nursery(async |n| {
            n.start_soon(heartbeat());
            sleep(1.5).await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
