use terzetto::{Builder, Error, TooSlow, current_time, fail_after, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let outcome = fail_after(2, async { Ok(sleep(60).await?) }).await;
        if outcome.is_err_and(|error| error.find::<TooSlow>().is_some()) {
            println!("too slow, at {}", current_time());
        }
        Ok(())
    })
}
