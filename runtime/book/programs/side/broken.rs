use terzetto::{Builder, Error, ReceiveError, SendFailure, channel, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (sender, receiver) = channel(1);
        receiver.close();
        let failed = sender.send("a letter").await;
        if matches!(failed.map_err(|error| error.into_parts().1), Err(SendFailure::Broken)) {
            println!("broken");
        }
        if matches!(receiver.receive_nowait(), Err(ReceiveError::Closed)) {
            println!("closed");
        }
        Ok(())
    })
}
