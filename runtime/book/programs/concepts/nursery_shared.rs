use std::cell::Cell;
use terzetto::{Error, checkpoint, nursery};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let total = Cell::new(0);
        nursery(async |n| {
            let total = &total; // `move` moves this reference, and not the cell
            for number in 1..=3 {
                n.start_soon(async move {
                    checkpoint().await?;
                    total.set(total.get() + number);
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        println!("the total is {}", total.get());
        Ok(())
    })
}
