use std::{thread, time::Duration};
use terzetto::{Error, move_on_after};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let outcome = move_on_after(0.01, async {
            // The mistake: this blocks the thread, and is no checkpoint.
            thread::sleep(Duration::from_millis(50));
            Ok("late, and in time all the same")
        });
        println!("{:?}", outcome.await?);
        Ok(())
    })
}
