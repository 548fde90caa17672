//! A server starts a task for each request, and the tasks never end.

use super::{assert_says, keep, run_to_end};
use terzetto::{blocked_report, nursery, sleep, sync::Event, task_tree, testing::wait_all_tasks_blocked};

#[test]
fn see_25_a_leak_of_tasks_is_one_line_with_their_number() {
    run_to_end(async {
        let never = Event::new();
        nursery(async |n| {
            n.start_soon_named("accepts requests", async {
                for _ in 0..2_000 {
                    n.start_soon_named("request", async { Ok(never.wait().await?) });
                    sleep(0.001).await?;
                }
                Ok(sleep(1_000.0).await?)
            });
            sleep(10.0).await?;
            wait_all_tasks_blocked(0.0).await?;
            let report = blocked_report();
            keep(6, "report of blocked tasks, while it runs", file!(), &report);
            assert_says(&report, &["2002 tasks", "task request (", "waiting for an event ×2000"]);
            assert!(report.lines().count() < 6, "{report}");
            assert_says(&task_tree(), &["×2000"]);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    });
}
