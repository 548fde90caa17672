use terzetto::{
    Builder, Error,
    sync::{Borrower, CapacityLimiter},
    testing::MockClock,
};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let limiter = CapacityLimiter::new(1);
        let _mine = limiter.acquire().await?;
        println!("{} {}", limiter.borrowed_tokens(), limiter.available_tokens());
        if limiter.acquire_on_behalf_of_nowait(Borrower::new("somebody else")).is_err() {
            println!("none is left");
        }
        limiter.set_total_tokens(2);
        let _other = limiter.acquire_on_behalf_of_nowait(Borrower::new("somebody else"))?;
        println!("{} {}", limiter.borrowed_tokens(), limiter.available_tokens());
        Ok(())
    })
}
