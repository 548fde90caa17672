use terzetto::{Builder, CancelScope, Error, current_time, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let scope = CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                sleep(1).await?;
                scope.cancel();
                Ok(())
            });
            let inside = scope.run(async {
                sleep(60).await?;
                println!("never");
                Ok(())
            });
            inside.await?;
            println!("caught: {} at {}", scope.cancelled_caught(), current_time());
            Ok(())
        })
        .await
    })
}
