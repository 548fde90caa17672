use terzetto::{Builder, Error, current_time, race::hedge, sleep, testing::MockClock};

async fn ask(mirror: usize) -> Result<String, Error> {
    sleep(if mirror == 0 { 30.0 } else { 0.5 }).await?;
    Ok(format!("an answer from mirror {mirror}"))
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        // At most three mirrors, each one two seconds after the one before. The first answer counts.
        let answer = hedge(3, 2.0, ask).await?;
        println!("{} after {} seconds", answer.value, current_time());
        Ok(())
    })
}
