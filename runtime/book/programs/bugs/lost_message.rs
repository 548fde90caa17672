use terzetto::{Builder, Error, channel, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (sender, receiver) = channel(10);
        nursery(async |n| {
            n.start_soon(async move {
                for number in 1..=4 {
                    sleep(1).await?;
                    sender.send(number).await?;
                }
                Ok(())
            });
            // What happens at the same time is in tasks of its own. Nobody drops the other one.
            n.start_soon(async {
                sleep(1.5).await?;
                println!("status: all is well");
                Ok(())
            });
            while let Some(first) = receiver.next().await? {
                let Some(second) = receiver.next().await? else { break };
                println!("({first}, {second})");
            }
            Ok(())
        })
        .await
    })
}
