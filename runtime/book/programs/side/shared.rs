use std::cell::Cell;
use terzetto::{Builder, Error, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let total = Cell::new(0);
        let total = &total;
        nursery(async |n| {
            for number in 1..5 {
                n.start_soon(async move {
                    sleep(number).await?;
                    total.set(total.get() + number);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        println!("{}", total.get());
        Ok(())
    })
}
