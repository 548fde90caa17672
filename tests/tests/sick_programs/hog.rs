//! A task computes without a checkpoint, and all others wait for it.

use super::{assert_says, keep, listen, logged};
use std::{thread, time::Duration};
use terzetto::{Builder, nursery, sleep};

/// As long as a computation.
#[inline(never)]
fn digits_of_pi() {
    thread::sleep(Duration::from_millis(600));
}

#[test]
fn see_24_a_task_that_hogs_the_loop_is_named_by_the_watchdog() {
    listen();
    Builder::new()
        .watchdog(0.05)
        .watchdog_stacks(true)
        .run(nursery(async |n| {
            n.start_soon_named("heartbeat", async { Ok(sleep(0.1).await?) });
            n.start_soon_named("computes pi", async {
                digits_of_pi();
                Ok(())
            });
            Ok(())
        }))
        .unwrap();
    let lines = logged("computes pi");
    keep(5, "log of the watchdog", file!(), &lines.join("\n"));
    assert_says(&lines[0], &["task computes pi (", "hog.rs:", "without a checkpoint, and still does"]);
    if cfg!(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))) {
        assert_says(&lines[1], &["the innermost call first", "digits_of_pi"]);
    }
    assert_says(lines.last().unwrap(), &["without a checkpoint"]);
    assert!(logged("heartbeat").is_empty());
}
