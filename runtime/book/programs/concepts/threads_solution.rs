use std::{sync::mpsc, thread, time::Duration};
use terzetto::{Error, from_thread, move_on_after, to_thread};

/// Counts until its task is cancelled: work that can stop early.
fn count() -> u64 {
    let mut counted = 0;
    while from_thread::check_cancelled().is_ok() {
        counted += 1;
        thread::sleep(Duration::from_millis(1));
    }
    counted
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let counted = move_on_after(0.5, async { to_thread::run_sync(count).await }).await?;
        let counted = counted.expect("the thread returned a value, so the task did");
        println!("it counted, and stopped when asked: {}", counted > 0);

        // A library that cannot stop is left alone; its result is dropped.
        let (finish, waits) = mpsc::channel::<()>();
        let options = to_thread::options().abandon_on_cancel(true);
        let left = move_on_after(0.5, options.run_sync(move || waits.recv())).await?;
        println!("the deaf one: {left:?}, {} in threads", to_thread::active_thread_count());
        drop(finish); // only so that the process can end
        Ok(())
    })
}
