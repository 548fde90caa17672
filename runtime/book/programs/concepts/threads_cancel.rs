use std::{thread, time::Duration};
use terzetto::{Error, checkpoint, move_on_after, to_thread};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let outcome = move_on_after(0.5, async {
            // The mistake: to expect that a time limit stops a thread.
            let value = to_thread::run_sync(|| {
                thread::sleep(Duration::from_secs(1));
                42
            });
            let value = value.await?;
            println!("the thread was waited for: {value}");
            checkpoint().await?; // here the task learns that it is cancelled
            Ok(value)
        });
        println!("{:?}", outcome.await?);
        Ok(())
    })
}
