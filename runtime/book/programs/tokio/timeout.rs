use terzetto::{Builder, Error, channel, move_on_after, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (sender, receiver) = channel(1);
        nursery(async |n| {
            n.start_soon(async move {
                for word in ["one", "two"] {
                    sleep(1).await?;
                    sender.send(word).await?;
                }
                sleep(60).await?;
                Ok(())
            });
            loop {
                match move_on_after(5, async { Ok(receiver.next().await?) }).await? {
                    Some(Some(word)) => println!("{word}"),
                    Some(None) => return Ok(()),
                    None => {
                        println!("nothing for five seconds");
                        n.cancel_scope().cancel();
                        return Ok(());
                    }
                }
            }
        })
        .await
    })
}
