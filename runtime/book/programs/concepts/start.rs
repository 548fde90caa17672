use std::cell::Cell;
use terzetto::{Builder, Error, TaskStatus, current_time, nursery, sleep, testing::MockClock};

#[track_caller]
fn say(who: &str, what: &str) {
    println!("{:4.1} {who}: {what}", current_time());
}

// ANCHOR: shown
async fn server(requests: &Cell<u32>, status: TaskStatus<u16>) -> Result<(), Error> {
    say("server", "begins");
    sleep(1.0).await?; // it opens its socket
    say("server", "is ready");
    status.started(8080)?;
    loop {
        sleep(1.0).await?;
        requests.set(requests.get() + 1);
    }
}

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let requests = Cell::new(0);
        let requests = &requests;
        nursery(async |n| {
            let port = n.start_named("server", async |status| server(requests, status).await).await?;
            say("main", &format!("the server listens on port {port}"));
            sleep(3.5).await?;
            say("main", "ends the nursery");
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        say("main", &format!("{} requests were served", requests.get()));
        Ok(())
    })
}
// ANCHOR_END: shown
