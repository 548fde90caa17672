use terzetto::{Builder, Error, current_time, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        async fn worker(seconds: u32) -> Result<(), Error> {
            sleep(seconds).await?;
            println!("ended after {seconds}");
            Ok(())
        }

        nursery(async |n| {
            n.start_soon(worker(2));
            n.start_soon(worker(1));
            println!("the body ends");
            Ok(())
        })
        .await?;
        println!("the nursery has ended at {}", current_time());
        Ok(())
    })
}
