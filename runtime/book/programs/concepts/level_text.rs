use terzetto::{Builder, Error, move_on_after, sleep, testing::MockClock};

async fn fetch() -> Result<(), Error> {
    // The mistake: a text about a cancellation is no cancellation.
    sleep(60.0).await.map_err(|error| Error::msg(format!("cannot fetch: {error}")))
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let outcome = move_on_after(1.0, fetch()).await;
        println!("{outcome:?}");
        Ok(())
    })
}
