use terzetto::{Builder, CancelScope, Error, current_time, nursery, sleep, testing::MockClock};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

async fn reader() -> Result<(), Error> {
    sleep(1.0).await?;
    say("reader", "fails");
    Err(Error::msg("the file ends too early"))
}

async fn writer() -> Result<(), Error> {
    let outcome = sleep(60.0).await;
    if outcome.is_err() {
        say("writer", "is cancelled, and cleans up");
        let cleanup = CancelScope::with_timeout(5.0).shielded(true);
        cleanup.run(async { Ok(sleep(1.0).await?) }).await?;
        say("writer", "fails, too");
        return Err(Error::msg("the half-written file cannot be removed"));
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let outcome = nursery(async |n| {
            n.start_soon_named("reader", reader());
            n.start_soon_named("writer", writer());
            n.start_soon_named("idler", async { Ok(sleep(60.0).await?) });
            Ok(())
        })
        .await;
        say("main", "the nursery has ended");
        let error = outcome.expect_err("two tasks have failed");
        println!("{error}");
        Ok(())
    })
}
