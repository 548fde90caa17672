use terzetto::{Builder, Error, channel, current_time, nursery, sleep, testing::MockClock};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

// ANCHOR: shown
fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (sender, receiver) = channel(1);
        nursery(async |n| {
            n.start_soon_named("producer", async move {
                for word in ["one", "two", "three"] {
                    sender.send(word).await?;
                    say("producer", &format!("has sent {word}"));
                }
                say("producer", "ends, and drops its sender");
                Ok(())
            });
            while let Some(word) = receiver.next().await? {
                say("consumer", &format!("has {word}, works on it"));
                sleep(1.0).await?;
            }
            say("consumer", "the channel has ended");
            Ok(())
        })
        .await
    })
}
// ANCHOR_END: shown
