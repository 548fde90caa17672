use terzetto::{Builder, Error, current_time, sleep, testing::MockClock};

// ANCHOR: say
#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}
// ANCHOR_END: say

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        say("main", "begins");
        sleep(1.5).await?;
        say("main", "ends");
        Ok(())
    })
}
