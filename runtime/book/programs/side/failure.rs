use terzetto::{Builder, Error, ErrorGroup, current_time, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let outcome = nursery(async |n| {
            n.start_soon(async {
                sleep(1).await?;
                Err(Error::msg("broken"))
            });
            n.start_soon(async { Ok(sleep(60).await?) });
            Ok(())
        });
        if let Err(group) = outcome.await {
            for error in group.group().into_iter().flat_map(ErrorGroup::errors) {
                println!("{error} at {}", current_time());
            }
        }
        Ok(())
    })
}
