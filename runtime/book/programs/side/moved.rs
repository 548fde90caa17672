use terzetto::{Builder, CancelScope, Error, current_time, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let scope = CancelScope::with_timeout(2);
        let inside = scope.run(async {
            for _ in 0..3 {
                sleep(1).await?;
                scope.set_deadline(current_time() + 2.0);
            }
            Ok(sleep(60).await?)
        });
        inside.await?;
        println!("ended at {}", current_time());
        Ok(())
    })
}
