use std::cell::Cell;
use terzetto::{Builder, Error, nursery, sleep, testing::MockClock};

async fn mirror(name: &'static str, seconds: u64) -> Result<&'static str, Error> {
    sleep(seconds).await?;
    Ok(name)
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let fastest = Cell::new(None);
        let fastest = &fastest;
        nursery(async |n| {
            for (name, seconds) in [("near", 1), ("far", 3)] {
                n.start_soon(async move {
                    fastest.set(Some(mirror(name, seconds).await?));
                    // The others end at their next checkpoint, and may clean up there.
                    n.cancel_scope().cancel();
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        println!("{}", fastest.get().unwrap_or("nobody"));
        Ok(())
    })
}
