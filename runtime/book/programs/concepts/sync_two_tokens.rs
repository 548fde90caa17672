use terzetto::{Builder, Error, sync::CapacityLimiter, testing::MockClock};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let connections = CapacityLimiter::new(2);
        let _from = connections.acquire().await?;
        let _to = connections.acquire().await?; // the mistake: the same task asks again
        println!("has two connections");
        Ok(())
    })
}
