use terzetto::{Builder, Error, current_time, move_on_after, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        nursery(async |n| {
            move_on_after(1.0, async {
                // The mistake: the task belongs to the nursery, and the time limit is inside it.
                n.start_soon(async { Ok(sleep(60.0).await?) });
                Ok(())
            })
            .await?;
            Ok(())
        })
        .await?;
        println!("the nursery has ended after {} seconds", current_time());
        Ok(())
    })
}
