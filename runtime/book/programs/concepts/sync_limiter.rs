use terzetto::{Builder, Error, current_time, nursery, sleep, sync::CapacityLimiter, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let downloads = &CapacityLimiter::new(2);
        nursery(async |n| {
            for name in ["a", "b", "c", "d"] {
                n.start_soon(async move {
                    let _token = downloads.acquire().await?;
                    sleep(2.0).await?;
                    let at_once = downloads.borrowed_tokens();
                    println!("{:.0} {name} is there, {at_once} at once", current_time());
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
