use terzetto::{Builder, Error, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        async fn work(name: &str) -> Result<(), Error> {
            sleep(1).await?;
            println!("{name}");
            Ok(())
        }

        nursery(async |outer| {
            nursery(async |inner| {
                inner.start_soon(work("inner"));
                Ok(())
            })
            .await?;
            println!("the inner one has ended");
            outer.start_soon(work("outer"));
            Ok(())
        })
        .await?;
        println!("the outer one has ended");
        Ok(())
    })
}
