use terzetto::{Builder, Error, TaskStatus, nursery, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        async fn server(_status: TaskStatus<u16>) -> Result<(), Error> {
            Err(Error::msg("the port is taken"))
        }

        nursery(async |n| {
            if let Err(error) = n.start_named("server", server).await {
                println!("{}", error.group().map_or(&error, |group| &group.errors()[0]));
            }
            println!("the nursery goes on");
            Ok(())
        })
        .await
    })
}
