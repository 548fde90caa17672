use std::{
    sync::atomic::{AtomicU32, Ordering::Relaxed},
    thread,
    time::Duration,
};
use terzetto::{Error, channel, from_thread, nursery, to_thread};

/// There is no clock in this trace: it counts the events.
#[track_caller]
fn say(who: &str, what: &str) {
    static EVENTS: AtomicU32 = AtomicU32::new(1);
    println!("{:2} {who}: {what}", EVENTS.fetch_add(1, Relaxed));
}

// ANCHOR: shown
/// A library that blocks, and tells how far it is.
fn compress(files: &[&str], progress: impl Fn(&str)) -> usize {
    for file in files {
        say("thread", &format!("compresses {file}"));
        thread::sleep(Duration::from_millis(5));
        progress(file);
    }
    files.len()
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        nursery(async |n| {
            let (done, counts) = channel(1);
            n.start_soon_named("task", async move {
                say("task", "gives the work to a thread, and waits");
                let compressed = to_thread::run_sync(|| {
                    compress(&["a.txt", "b.txt"], |file| {
                        let what = format!("is told that {file} is done");
                        // Back on the loop, while this thread waits.
                        from_thread::run_sync(move || say("task", &what)).expect("the run goes on");
                    })
                });
                done.send(compressed.await?).await?;
                Ok(())
            });
            say("body", "waits for the result; the loop goes on");
            let count = counts.receive().await?;
            say("body", &format!("has the result: {count} files"));
            Ok(())
        })
        .await
    })
}
// ANCHOR_END: shown
