use terzetto::{Builder, Error, channel, move_on_after, nursery, task_tree, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (sender, receiver) = channel(1);
        let all = move_on_after(5.0, async {
            nursery(async |n| {
                let clone = sender.clone();
                n.start_soon(async move { Ok(clone.send("one").await?) });
                // The mistake: `sender` itself lives on, so the channel never ends.
                while let Some(word) = receiver.next().await? {
                    println!("{word}");
                }
                Ok(())
            })
            .await
        });
        nursery(async |watch| {
            watch.start_soon_named("watch", async {
                terzetto::sleep(1.0).await?;
                println!("{}", task_tree());
                Ok(())
            });
            println!("{:?}", all.await?);
            Ok(())
        })
        .await
    })
}
