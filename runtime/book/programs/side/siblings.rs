use terzetto::{Builder, Error, nursery, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        nursery(async |n| {
            n.start_soon(async {
                println!("first");
                n.start_soon(async {
                    println!("second");
                    Ok(())
                });
                Ok(())
            });
            Ok(())
        })
        .await
    })
}
