use std::cell::RefCell;
use terzetto::{Error, checkpoint, nursery};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let total = RefCell::new(0);
        let total = &total;
        nursery(async |n| {
            for i in 1..=2 {
                n.start_soon(async move {
                    // The mistake: the borrow is held over a checkpoint, where the other task runs.
                    let mut total = total.borrow_mut();
                    checkpoint().await?;
                    *total += i;
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })
}
