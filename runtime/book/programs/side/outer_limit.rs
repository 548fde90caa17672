use terzetto::{Builder, CancelScope, Error, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (outer, inner) = (CancelScope::with_timeout(1), CancelScope::with_timeout(5));
        let inside = outer.run(async {
            inner.run(async { Ok(sleep(60).await?) }).await?;
            println!("never");
            Ok(())
        });
        inside.await?;
        println!("{} {}", outer.cancelled_caught(), inner.cancelled_caught());
        Ok(())
    })
}
