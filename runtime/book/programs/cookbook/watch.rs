use terzetto::{Builder, Error, nursery, sleep, sync::Watch, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let volume = Watch::new(0);
        nursery(async |n| {
            n.start_soon(async {
                let mut volumes = volume.eventual_values();
                loop {
                    println!("the volume is {}", volumes.next().await?);
                    sleep(1.5).await?; // it takes a while to show it
                }
            });
            n.start_soon(async {
                let loud = volume.wait_value(|&volume| volume > 4).await?;
                println!("that is loud: {loud}");
                Ok(())
            });
            for value in [3, 4, 5, 6] {
                sleep(1).await?;
                volume.set(value);
            }
            sleep(1).await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
