use terzetto::{Builder, Error, Nursery, nursery, sleep, testing::MockClock};

/// It needs a nursery of its caller's, so its signature says that it leaves something running.
async fn handle<'scope>(logs: &'scope Nursery<'scope, '_>, request: &'scope str) -> Result<(), Error> {
    println!("{request}: answered");
    logs.start_soon(async move {
        sleep(1).await?;
        println!("{request}: written to the log");
        Ok(())
    });
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        nursery(async |logs| {
            handle(logs, "first").await?;
            sleep(2).await?;
            handle(logs, "last").await
        })
        .await?;
        println!("the program ends");
        Ok(())
    })
}
