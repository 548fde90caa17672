use std::cell::Cell;
use terzetto::{Builder, Error, current_time, nursery, sleep, sync::Condition, testing::MockClock};

/// Takes so many litres. Waits until there is enough.
async fn take(tank: &Condition, level: &Cell<u32>, litres: u32) -> Result<(), Error> {
    let mut held = tank.acquire().await?;
    while level.get() < litres {
        tank.wait(&mut held).await?;
    }
    level.set(level.get() - litres);
    println!("{:.0} took {litres}, {} are left", current_time(), level.get());
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (tank, level) = (Condition::new(), Cell::new(0));
        nursery(async |n| {
            n.start_soon(take(&tank, &level, 5));
            n.start_soon(take(&tank, &level, 2));
            for _ in 0..4 {
                sleep(1.0).await?;
                let _held = tank.acquire().await?;
                level.set(level.get() + 2);
                tank.notify_all()?;
            }
            Ok(())
        })
        .await
    })
}
