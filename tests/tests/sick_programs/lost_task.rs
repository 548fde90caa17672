//! A task that was to set an event ends early, and nobody notices.

use super::{assert_says, deadlock_of, keep};
use terzetto::{CancelScope, nursery, sleep, sync::Event};

#[test]
fn see_23_a_lost_task_is_missing_in_the_report_and_seen_in_the_timeline() {
    use terzetto::{Builder, observe::Recorder, testing::MockClock};
    let recorder = Recorder::new();
    let program = || async {
        let ready = Event::new();
        nursery(async |n| {
            n.start_soon_named("setter", async {
                // A time limit that was meant for something else ends the task before it sets the event.
                let scope = CancelScope::new();
                scope.cancel_with_reason("a limit that is too short");
                scope
                    .run(async {
                        sleep(1.0).await?;
                        ready.set();
                        Ok(())
                    })
                    .await
                    .map(drop)
            });
            n.start_soon_named("waiter", async { Ok(ready.wait().await?) });
            Ok(())
        })
        .await
    };
    let report = deadlock_of(program());
    assert_says(&report, &["all 2 tasks are blocked", "task waiter (", "waiting for an event"]);
    assert!(!report.contains("setter"), "{report}");
    let ended = Builder::new().clock(MockClock::autojump()).record(recorder.clone()).run(program());
    assert!(ended.is_err());
    let page = recorder.timeline().html("lost");
    // The cancellations that the page lists below its picture.
    let (_, listed) = page.split_once("<h2>").unwrap();
    let listed = listed.replace("</h2>", ":").replace("<ul>", "").replace("</ul>", "").replace("<li>", "- ");
    let listed = listed.replace("</li>", "").replace("</body></html>", "");
    let both = format!("{report}\nThe page of the timeline says below its picture:\n\n{}", listed.trim());
    keep(4, "report of the deadlock, and recording", file!(), &both);
    assert_says(&page, &["<li>setter: cancelled on request, by task setter: a limit that is too short"]);
    assert_says(&page, &["setter ends"]);
}
