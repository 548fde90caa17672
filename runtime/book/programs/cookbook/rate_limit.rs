use terzetto::{Builder, Error, current_time, nursery, testing::MockClock, time::RateLimiter};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        // Two calls in a second, and never more than one at once.
        let limiter = RateLimiter::new(2, 1).burst(1);
        let limiter = &limiter;
        nursery(async |n| {
            for call in 1..=5 {
                n.start_soon(async move {
                    limiter.acquire().await?;
                    println!("{:.1} call {call}", current_time());
                    Ok(())
                });
            }
            Ok(())
        })
        .await
    })
}
