use terzetto::{Builder, Error, checkpoint, current_time, nursery, sleep, sync::Event, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let rings = Event::new();
        nursery(async |n| {
            n.start_soon(async {
                for ring in 1..=3 {
                    rings.wait().await?;
                    println!("{:.0} ring {ring}", current_time());
                }
                Ok(())
            });
            // The mistake: an event happens once, and stays so.
            for _ in 0..3 {
                sleep(1.0).await?;
                rings.set();
                checkpoint().await?;
            }
            Ok(())
        })
        .await
    })
}
