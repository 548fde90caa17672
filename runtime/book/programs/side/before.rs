use terzetto::{Builder, CancelScope, Error, checkpoint, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let scope = CancelScope::new();
        scope.cancel();
        let inside = scope.run(async {
            println!("inside");
            checkpoint().await?;
            println!("never");
            Ok(())
        });
        inside.await?;
        println!("outside");
        Ok(())
    })
}
