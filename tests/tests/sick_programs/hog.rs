//! A task computes without a checkpoint, and all others wait for it.

use super::{assert_says, listen, logged};
use std::{thread, time::Duration};
use terzetto::{Builder, nursery, sleep};

#[test]
fn see_24_a_task_that_hogs_the_loop_is_named_by_the_watchdog() {
    listen();
    Builder::new()
        .watchdog(0.05)
        .run(nursery(async |n| {
            n.start_soon_named("heartbeat", async { Ok(sleep(0.1).await?) });
            n.start_soon_named("computes pi", async {
                // As long as a computation.
                thread::sleep(Duration::from_millis(300));
                Ok(())
            });
            Ok(())
        }))
        .unwrap();
    let lines = logged("computes pi");
    assert_says(&lines[0], &["task computes pi (", "hog.rs:", "without a checkpoint, and still does"]);
    assert_says(&lines[1], &["without a checkpoint"]);
    assert!(logged("heartbeat").is_empty());
}
