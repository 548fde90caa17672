use terzetto::{Builder, CancelScope, Error, move_on_after, sleep, testing::MockClock};

struct Database;

impl Database {
    async fn say(&self, command: &str) -> Result<(), Error> {
        sleep(0.1).await?;
        println!("{command}");
        Ok(())
    }
}

/// `work` between BEGIN and COMMIT, or, if it fails or is cancelled, ROLLBACK.
async fn transaction<T>(
    database: &Database,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    database.say("BEGIN").await?;
    let outcome = async {
        let value = work.await?;
        database.say("COMMIT").await?;
        Ok(value)
    };
    let outcome = outcome.await;
    if outcome.is_err() {
        let cleanup = CancelScope::with_timeout(1.0).shielded(true);
        cleanup.run(database.say("ROLLBACK")).await?;
    }
    outcome
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        transaction(&Database, async { Ok(sleep(0.5).await?) }).await?;
        let cut = move_on_after(1.0, transaction(&Database, async { Ok(sleep(60.0).await?) })).await?;
        println!("{cut:?}");
        let failed = transaction(&Database, async { Err::<(), _>(Error::msg("no such table")) }).await;
        println!("{}", failed.expect_err("it fails"));
        Ok(())
    })
}
