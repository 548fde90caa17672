use terzetto::{Error, channel, nursery};

fn main() -> Result<(), Error> {
    // So that the example ends: the program is stopped from outside.
    std::thread::spawn(|| {
        std::thread::sleep(std::time::Duration::from_millis(300));
        println!("(it still hangs, and is stopped)");
        std::process::exit(0);
    });
    terzetto::run(async {
        let (sender, receiver) = channel::<u32>(10);
        nursery(async |n| {
            n.start_soon_named("adder", async {
                let mut sum = 0;
                while let Some(number) = receiver.next().await? {
                    sum += number;
                }
                println!("the sum is {sum}");
                Ok(())
            });
            for number in 1..=3 {
                sender.send(number).await?;
            }
            Ok(())
        })
        .await
    })
}
