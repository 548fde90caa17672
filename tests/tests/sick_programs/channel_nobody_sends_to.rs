//! A task waits for a message, and the task that has the sender waits for an answer first.

use super::{assert_says, deadlock_of, keep};
use terzetto::{channel, nursery};

#[test]
fn see_21_a_channel_nobody_sends_to_is_named_with_its_senders() {
    let report = deadlock_of(async {
        let (ask, asked) = channel::<&str>(0);
        let (answer, answered) = channel::<&str>(0);
        nursery(async |n| {
            n.start_soon_named("client", async move {
                // The answer is awaited before anything is asked.
                let _answer = answered.receive().await?;
                Ok(ask.send("?").await?)
            });
            n.start_soon_named("server", async move {
                let _question = asked.receive().await?;
                Ok(answer.send("!").await?)
            });
            Ok(())
        })
        .await
    });
    keep(2, "report of the deadlock", file!(), &report);
    for task in ["client", "server"] {
        let line = report.lines().find(|line| line.starts_with(&format!("- task {task} ("))).unwrap();
        assert_says(line, &["receiving from a channel (1 sender is open: 1 made with the channel at "]);
        assert_says(line, &["channel_nobody_sends_to.rs:"]);
    }
    assert!(!report.contains("futurelock"), "{report}");
}
