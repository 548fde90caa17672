use terzetto::{Builder, Error, TaskStatus, current_time, nursery, sleep, sleep_forever, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        async fn server(status: TaskStatus<u16>) -> Result<(), Error> {
            sleep(1).await?;
            status.started(8080)?;
            Ok(sleep_forever().await?)
        }

        nursery(async |n| {
            let port = n.start(server).await?;
            println!("port {port} at {}", current_time());
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
