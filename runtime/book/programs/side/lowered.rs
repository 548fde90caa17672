use terzetto::{
    Builder, CancelScope, Error, current_time, move_on_after, nursery, sleep, testing::MockClock,
};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let shield = CancelScope::new().shielded(true);
        nursery(async |n| {
            n.start_soon(async {
                sleep(3).await?;
                shield.set_shield(false);
                Ok(())
            });
            move_on_after(1, shield.run(async { Ok(sleep(60).await?) })).await?;
            println!("cancelled at {}", current_time());
            Ok(())
        })
        .await
    })
}
