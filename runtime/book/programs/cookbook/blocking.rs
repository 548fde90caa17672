use terzetto::{Error, nursery, sync::CapacityLimiter, to_thread};

/// A library that blocks, and that allows only two calls at the same time.
fn checksum(text: &str) -> u32 {
    text.bytes().fold(7, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte)))
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let two = CapacityLimiter::new(2);
        let texts = ["Ada", "Grace", "Barbara", "Margaret"];
        let (sender, receiver) = terzetto::channel(texts.len());
        nursery(async |n| {
            for text in texts {
                let sender = sender.clone();
                let two = &two;
                n.start_soon(async move {
                    let options = to_thread::options().limiter(two).name("checksum");
                    let sum = options.run_sync(move || checksum(text)).await?;
                    sender.send((text, sum)).await?;
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        drop(sender);
        let mut sums = Vec::new();
        while let Some(sum) = receiver.next().await? {
            sums.push(sum);
        }
        sums.sort();
        println!("{sums:?}");
        Ok(())
    })
}
