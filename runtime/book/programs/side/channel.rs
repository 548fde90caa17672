use terzetto::{Builder, Error, channel, nursery, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (sender, receiver) = channel(0);
        nursery(async |n| {
            n.start_soon(async move {
                for i in 0..3 {
                    sender.send(i).await?;
                }
                Ok(())
            });
            while let Some(i) = receiver.next().await? {
                println!("{i}");
            }
            Ok(())
        })
        .await?;
        println!("the channel has ended");
        Ok(())
    })
}
