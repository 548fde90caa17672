use terzetto::{Builder, CancelScope, Error, current_time, nursery, sleep, testing::MockClock};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

// ANCHOR: shown
async fn download() -> Result<usize, Error> {
    for part in 1..=10 {
        sleep(1.0).await?;
        say("download", &format!("has part {part}"));
    }
    Ok(10)
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let scope = CancelScope::new();
        let button = scope.clone();
        nursery(async |n| {
            n.start_soon_named("user", async move {
                sleep(2.5).await?;
                say("user", "presses cancel");
                button.cancel_with_reason("the user pressed cancel");
                Ok(())
            });
            let parts = scope.run(download()).await?;
            say("main", &format!("goes on after the scope, with {parts:?}"));
            Ok(())
        })
        .await
    })
}
// ANCHOR_END: shown
