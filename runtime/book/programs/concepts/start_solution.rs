use terzetto::{Builder, Error, TaskStatus, current_time, nursery, sleep, sleep_forever, testing::MockClock};

async fn worker(number: u32, status: TaskStatus<u32>) -> Result<(), Error> {
    sleep(number).await?;
    if number == 4 {
        return Err(Error::msg("worker 4 has no licence"));
    }
    status.started(number)?;
    Ok(sleep_forever().await?)
}

/// Starts workers at the same time. Returns when all are ready, or fails with the first that is not.
async fn pool(numbers: &[u32]) -> Result<(), Error> {
    nursery(async |workers| {
        nursery(async |starting| {
            for &number in numbers {
                starting.start_soon(async move {
                    let ready = workers.start(async move |status| worker(number, status).await).await?;
                    println!("{:.1} worker {ready} is ready", current_time());
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        println!("{:.1} all are ready", current_time());
        workers.cancel_scope().cancel();
        Ok(())
    })
    .await
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        pool(&[1, 2, 3]).await?;
        let error = pool(&[1, 4, 60]).await.expect_err("one of them fails");
        println!("{:.1} {error}", current_time());
        Ok(())
    })
}
