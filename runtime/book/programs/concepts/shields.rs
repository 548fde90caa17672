use terzetto::{Builder, CancelScope, Error, current_time, move_on_after, sleep, testing::MockClock};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

// ANCHOR: shown
async fn session() -> Result<(), Error> {
    say("session", "opens");
    let work = sleep(60.0).await;
    if let Err(cancelled) = work {
        say("session", &format!("work is cut short ({})", cancelled.reason()));
        let goodbye = CancelScope::with_timeout(2.0).shielded(true);
        let said = goodbye.run(async {
            sleep(0.5).await?;
            say("session", "the goodbye is sent");
            Ok(())
        });
        if said.await?.is_none() {
            say("session", "the goodbye took too long");
        }
        return Err(cancelled.into());
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let outcome = move_on_after(1.0, session()).await?;
        say("main", &format!("goes on, with {outcome:?}"));
        Ok(())
    })
}
// ANCHOR_END: shown
