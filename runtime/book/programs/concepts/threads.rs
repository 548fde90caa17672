use std::{thread, time::Duration};
use terzetto::{Error, channel, from_thread, nursery, to_thread};

// ANCHOR: shown
/// A library that blocks, and tells how far it is.
fn compress(files: &[&str], progress: impl Fn(&str)) -> usize {
    for file in files {
        thread::sleep(Duration::from_millis(5));
        progress(file);
    }
    files.len()
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        nursery(async |n| {
            let (done, names) = channel(10);
            n.start_soon(async move {
                let compressed = to_thread::run_sync(|| {
                    compress(&["a.txt", "b.txt"], |file| {
                        let file = file.to_owned();
                        // Back on the loop, while this thread waits.
                        let told = from_thread::run_sync(move || println!("loop: {file} is compressed"));
                        told.expect("the run goes on");
                    })
                });
                let count = compressed.await?;
                done.send(count).await?;
                Ok(())
            });
            println!("loop: the thread works, and the loop goes on");
            println!("loop: {} files", names.receive().await?);
            Ok(())
        })
        .await
    })
}
// ANCHOR_END: shown
