use terzetto::{
    Builder, Error, TooSlow, fail_after, nursery, sleep,
    sync::Event,
    testing::{MockClock, wait_all_tasks_blocked},
};

/// What is to be tested: it gives up after a day.
async fn wait_for_reply(reply: &Event) -> Result<(), Error> {
    fail_after(86_400.0, async { Ok(reply.wait().await?) }).await
}

fn main() -> Result<(), Error> {
    // A clock that jumps: a day passes at once.
    Builder::new().clock(MockClock::autojump()).run(async {
        let error = wait_for_reply(&Event::new()).await.expect_err("there is no reply");
        assert!(error.find::<TooSlow>().is_some());
        println!("it gives up after a day");
        Ok(())
    })?;
    // A clock that stands still: the test says when time passes, and looks in between.
    let clock = MockClock::new();
    Builder::new().clock(clock.clone()).run(async {
        let reply = Event::new();
        nursery(async |n| {
            n.start_soon(wait_for_reply(&reply));
            clock.jump(86_399.0);
            wait_all_tasks_blocked(0.0).await?;
            assert_eq!(n.child_count(), 1, "it still waits");
            reply.set();
            sleep(0).await?;
            println!("a reply in the last second is in time");
            Ok(())
        })
        .await
    })
}
