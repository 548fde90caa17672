use std::cell::{Cell, RefCell};
use terzetto::{Builder, Error, nursery, sleep, sync::Event, testing::MockClock};

/// A value that others can wait for to change. They see the latest one, and not each one.
struct Watch<T> {
    value: Cell<T>,
    changed: RefCell<Event>,
}

impl<T: Copy> Watch<T> {
    fn new(value: T) -> Watch<T> {
        Watch { value: Cell::new(value), changed: RefCell::new(Event::new()) }
    }

    fn set(&self, value: T) {
        self.value.set(value);
        // All who wait now are woken; who asks later waits for the next event.
        self.changed.replace(Event::new()).set();
    }

    async fn changed(&self) -> Result<T, Error> {
        let event = self.changed.borrow().clone();
        event.wait().await?;
        Ok(self.value.get())
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let volume = Watch::new(0);
        nursery(async |n| {
            n.start_soon(async {
                loop {
                    println!("the volume is {}", volume.changed().await?);
                    sleep(1.5).await?; // it takes a while to show it
                }
            });
            for value in [3, 4, 5, 6] {
                sleep(1).await?;
                volume.set(value);
            }
            sleep(1).await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
