use std::cell::Cell;
use terzetto::{Builder, Error, nursery, sleep, sync::Lock, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (book, balance) = (Lock::new(), Cell::new(100));
        nursery(async |n| {
            for amount in [10, -30] {
                let (book, balance) = (&book, &balance);
                n.start_soon(async move {
                    let _ = book.acquire().await?; // the mistake: the guard is dropped here
                    let read = balance.get();
                    sleep(1.0).await?;
                    balance.set(read + amount);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        println!("100 + 10 - 30 = {}", balance.get());
        Ok(())
    })
}
