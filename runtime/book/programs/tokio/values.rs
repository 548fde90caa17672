use terzetto::{Builder, Error, children::gather, sleep, testing::MockClock};

async fn price(article: &str) -> Result<u32, Error> {
    sleep(1).await?;
    Ok(article.len() as u32)
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (tea, coffee) = gather((price("tea"), price("coffee"))).await?;
        println!("{}", tea + coffee);
        Ok(())
    })
}
