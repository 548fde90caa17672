use terzetto::{Builder, CancelScope, Error, current_time, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let accepting = CancelScope::new();
        nursery(async |n| {
            n.start_soon(async { Ok(sleep(86_400.0).await?) });
            // The mistake: it stops accepting, and waits for the others without a limit.
            accepting.cancel();
            accepting.run(async { Ok(sleep(60.0).await?) }).await?;
            Ok(())
        })
        .await?;
        println!("the program ends after {} seconds", current_time());
        Ok(())
    })
}
