use terzetto::{
    Builder, Error, nursery, sleep,
    sync::{SlowReceiver, broadcast},
    testing::MockClock,
};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        // At most two values wait for a subscriber. One that is slower is disconnected.
        let (publisher, first) = broadcast(2, SlowReceiver::Disconnect);
        nursery(async |n| {
            let second = publisher.subscribe();
            for (name, seconds, messages) in [("quick", 0.5, first), ("slow", 5.0, second)] {
                n.start_soon(async move {
                    loop {
                        match messages.next().await {
                            Ok(Some(message)) => println!("{name} has {message}"),
                            Ok(None) => break println!("{name} is at the end"),
                            Err(error) => {
                                println!("{name}: {error}");
                                break;
                            }
                        }
                        sleep(seconds).await?;
                    }
                    Ok(())
                });
            }
            for message in 1..=5 {
                publisher.send(message).await?;
                sleep(1).await?;
            }
            publisher.close();
            Ok(())
        })
        .await
    })
}
