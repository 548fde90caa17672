use terzetto::{Error, sync::Lock};

async fn deposit(account: &Lock) -> Result<(), Error> {
    // The mistake: the caller holds the lock already.
    let _held = account.acquire().await?;
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let account = Lock::new();
        let _held = account.acquire().await?;
        println!("{}", deposit(&account).await.expect_err("it would wait for itself"));
        Ok(())
    })
}
