use terzetto::{Builder, Error, move_on_after, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let slow = move_on_after(2, async { Ok(sleep(60).await?) }).await?;
        println!("{}", if slow.is_none() { "cut short" } else { "in time" });
        let quick = move_on_after(2, async { Ok(sleep(1).await?) }).await?;
        println!("{}", if quick.is_none() { "cut short" } else { "in time" });
        Ok(())
    })
}
