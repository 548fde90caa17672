use terzetto::{Builder, Error, current_time, nursery, sleep, sync::CapacityLimiter, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let downloads = &CapacityLimiter::new(2);
        nursery(async |n| {
            for name in ["a", "b", "c", "d"] {
                n.start_soon(async move {
                    let _token = downloads.acquire().await?;
                    sleep(2.0).await?;
                    println!("{:.0} {name} is there, {} at once", current_time(), downloads.borrowed_tokens());
                    Ok(())
                });
            }
            sleep(1.0).await?;
            println!("{:.0} main allows three at once", current_time());
            downloads.set_total_tokens(3);
            Ok(())
        })
        .await
    })
}
