use terzetto::{Builder, Error, race::first_to_end, sleep, testing::MockClock};

async fn mirror(name: &'static str, seconds: u64) -> Result<&'static str, Error> {
    sleep(seconds).await?;
    Ok(name)
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        // The other one ends at its next checkpoint, and may clean up there. It has ended when this returns.
        let fastest = first_to_end((mirror("near", 1), mirror("far", 3))).await?;
        println!("{}", fastest.value);
        Ok(())
    })
}
