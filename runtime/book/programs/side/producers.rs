use terzetto::{Builder, Error, channel, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (sender, receiver) = channel(0);
        nursery(async |n| {
            for (name, pause) in [("slow", 2.0), ("quick", 0.5)] {
                let sender = sender.clone();
                n.start_soon(async move {
                    for i in 0..2 {
                        sleep(pause).await?;
                        sender.send(format!("{name} {i}")).await?;
                    }
                    Ok(())
                });
            }
            drop(sender);
            while let Some(value) = receiver.next().await? {
                println!("{value}");
            }
            Ok(())
        })
        .await
    })
}
