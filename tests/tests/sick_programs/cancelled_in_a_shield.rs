//! A cancelled task cleans up in a shield without a time limit, and its peer does not answer any more.

use super::{assert_says, deadlock_of, keep};
use terzetto::{CancelScope, channel, move_on_after, nursery, sleep_forever};

#[test]
fn see_26_a_cancelled_task_in_a_shield_is_named_with_the_cancellation() {
    let report = deadlock_of(async {
        let (_farewell, farewells) = channel::<()>(0);
        move_on_after(
            5.0,
            nursery(async |n| {
                n.start_soon_named("connection", async {
                    let _cancelled = sleep_forever().await;
                    let shield = CancelScope::new().shielded(true);
                    shield.run(async { Ok(farewells.receive().await?) }).await.map(drop)
                });
                Ok(())
            }),
        )
        .await
    });
    keep(7, "report of the deadlock", file!(), &report);
    let line = report.lines().find(|line| line.contains("task connection (")).unwrap();
    assert_says(line, &["receiving from a channel", "in a shield; outside: cancelled by a deadline"]);
}
