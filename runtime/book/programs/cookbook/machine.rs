use std::fs;
use terzetto::{Builder, Error, channel, nursery, observe::StateRecorder, testing::MockClock};

fn main() -> Result<(), Error> {
    let recorder = StateRecorder::new();
    let builder = Builder::new().clock(MockClock::autojump()).instrument(recorder.clone());
    builder.run(nursery(async |n| {
        let (sender, receiver) = channel(0);
        n.start_soon_named("sender", async move { Ok(sender.send("hello").await?) });
        n.start_soon_named("receiver", async move {
            println!("got {}", receiver.receive().await?);
            Ok(())
        });
        Ok(())
    }))?;
    let page = recorder.html("A greeting", include_str!("machine.rs"));
    let path = std::env::temp_dir().join("greeting.html");
    fs::write(&path, &page)?;
    println!("the page shows {} states", recorder.len());
    Ok(())
}
