use terzetto::{Builder, Error, channel, current_time, nursery, sleep, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (give, take) = channel(0);
        nursery(async |n| {
            for worker in 1..=3 {
                let take = take.clone();
                n.start_soon(async move {
                    while let Some(job) = take.next().await? {
                        sleep(job).await?; // a job takes so many seconds
                        println!("{:.0} worker {worker} has done job {job}", current_time());
                    }
                    Ok(())
                });
            }
            drop(take); // so that only the workers receive
            for job in [3, 1, 1, 2, 5] {
                give.send(job).await?; // waits until a worker is free
            }
            drop(give); // the workers end
            Ok(())
        })
        .await
    })
}
