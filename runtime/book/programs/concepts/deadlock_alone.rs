use terzetto::{Builder, Error, channel, move_on_after, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (sender, receiver) = channel(0);
        let outcome = move_on_after(1.0, async {
            // The mistake: with capacity zero a send waits for a receive, which comes only after it.
            sender.send("a letter to myself").await?;
            Ok(receiver.receive().await?)
        });
        println!("{:?}", outcome.await?);
        Ok(())
    })
}
