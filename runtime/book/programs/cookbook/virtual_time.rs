use terzetto::{Error, fail_after, sync::Event};

/// What is to be tested: it gives up after a day.
async fn wait_for_reply(reply: &Event) -> Result<(), Error> {
    fail_after(86_400.0, async { Ok(reply.wait().await?) }).await
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let reply = Event::new();
        reply.set();
        wait_for_reply(&reply).await?;
        println!("there is a reply");
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::wait_for_reply;
    use terzetto::{
        Builder, Error, TooSlow, current_time, nursery, sleep,
        sync::Event,
        testing::{MockClock, wait_all_tasks_blocked},
    };

    #[test]
    fn it_gives_up_after_a_day() -> Result<(), Error> {
        // A clock that jumps: a day passes at once.
        Builder::new().clock(MockClock::autojump()).run(async {
            let error = wait_for_reply(&Event::new()).await.expect_err("there is no reply");
            assert!(error.find::<TooSlow>().is_some());
            assert_eq!(current_time(), 86_400.0);
            Ok(())
        })
    }

    #[test]
    fn a_reply_in_the_last_second_is_in_time() -> Result<(), Error> {
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
                Ok(sleep(0).await?)
            })
            .await
        })
    }
}
