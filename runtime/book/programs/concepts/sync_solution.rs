use std::cell::Cell;
use terzetto::{Builder, Error, current_time, nursery, sleep, sync::Event, testing::MockClock};

/// A place where a number of tasks wait for each other.
struct Barrier {
    missing: Cell<usize>,
    complete: Event,
}

impl Barrier {
    fn new(tasks: usize) -> Barrier {
        Barrier { missing: Cell::new(tasks), complete: Event::new() }
    }

    async fn wait(&self) -> Result<(), Error> {
        self.missing.set(self.missing.get() - 1);
        if self.missing.get() == 0 {
            self.complete.set();
        }
        Ok(self.complete.wait().await?)
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let barrier = &Barrier::new(3);
        nursery(async |n| {
            for (name, way) in [("ada", 1.0), ("grace", 3.0), ("alan", 2.0)] {
                n.start_soon(async move {
                    sleep(way).await?;
                    println!("{:.0} {name} is there", current_time());
                    barrier.wait().await?;
                    println!("{:.0} {name} goes on", current_time());
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })
}
