use terzetto::{
    Builder, CancelScope, Error, TooSlow, current_effective_deadline, current_time, fail_after,
    move_on_after, sleep, testing::MockClock,
};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

// ANCHOR: shown
fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        say("one limit", "begins");
        let slow = move_on_after(2.0, async { Ok(sleep(60.0).await?) }).await?;
        say("one limit", &format!("has passed: {slow:?}"));

        let outcome = fail_after(3.0, async {
            say("two limits", &format!("the outer one is at {}", current_effective_deadline()));
            move_on_after(10.0, async {
                say(
                    "two limits",
                    &format!("with the inner one it is still at {}", current_effective_deadline()),
                );
                Ok(sleep(60.0).await?)
            })
            .await
        });
        let error = outcome.await.expect_err("the outer limit passes first");
        say("two limits", &format!("the outer one has passed: {:?}", error.find::<TooSlow>()));

        let idle = CancelScope::with_timeout(2.0);
        let messages = idle.run(async {
            for message in 1..=3 {
                sleep(1.5).await?;
                say("idle limit", &format!("message {message}: two more seconds"));
                idle.set_relative_deadline(2.0);
            }
            Ok(sleep(60.0).await?)
        });
        messages.await?;
        say("idle limit", "nothing came for two seconds");
        Ok(())
    })
}
// ANCHOR_END: shown
