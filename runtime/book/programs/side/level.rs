use terzetto::{Builder, Error, current_time, move_on_after, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        move_on_after(1, async {
            for attempt in 1..4 {
                if sleep(60).await.is_err() {
                    println!("attempt {attempt} fails at {}", current_time());
                }
            }
            Ok(())
        })
        .await?;
        println!("outside");
        Ok(())
    })
}
