use terzetto::{Builder, CancelScope, Error, current_time, move_on_after, sleep, testing::MockClock};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

// ANCHOR: shown
async fn stubborn() -> Result<(), Error> {
    for attempt in 1..=3 {
        match sleep(10.0).await {
            Ok(()) => say("stubborn", "has slept"),
            Err(_) => say("stubborn", &format!("attempt {attempt} to sleep fails")),
        }
    }
    say("stubborn", "cleans up under a shield");
    let cleanup = CancelScope::with_timeout(5.0).shielded(true);
    cleanup.run(async { Ok(sleep(1.0).await?) }).await?;
    say("stubborn", "is done with that, and sleeps again");
    Ok(sleep(10.0).await?)
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let outcome = move_on_after(1.0, stubborn()).await?;
        say("main", &format!("goes on, with {outcome:?}"));
        sleep(1.0).await?;
        say("main", "can sleep: it is outside the scope");
        Ok(())
    })
}
// ANCHOR_END: shown
