use terzetto::{Builder, Error, current_time, nursery, sleep, testing::MockClock};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

// ANCHOR: shown
async fn worker(name: &str, seconds: f64) -> Result<(), Error> {
    say(name, "starts");
    sleep(seconds).await?;
    say(name, "ends");
    Ok(())
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let names = [String::from("short"), String::from("long")];
        say("main", "opens the nursery");
        nursery(async |n| {
            n.start_soon(worker(&names[0], 1.0));
            n.start_soon(worker(&names[1], 2.0));
            say("main", "the body ends");
            Ok(())
        })
        .await?;
        say("main", "the nursery has ended");
        Ok(())
    })
}
// ANCHOR_END: shown
