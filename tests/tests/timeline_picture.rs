//! The picture of a timeline in the documentation, and a check that it is as timelines are now.

use std::{fs, path::Path};
use terzetto::{
    Builder, Error, channel, move_on_after, nursery, observe::Recorder, sleep, testing::MockClock,
};

/// Two tasks with a channel between them, and a third with a time limit.
async fn program() -> Result<(), Error> {
    let (orders, ordered) = channel(1);
    nursery(async |n| {
        n.start_soon_named("waiter", async move {
            for dish in ["soup", "fish", "cake"] {
                orders.send(dish).await?;
            }
            Ok(())
        });
        n.start_soon_named("cook", async move {
            while ordered.next().await?.is_some() {
                sleep(0.5).await?;
            }
            Ok(())
        });
        n.start_soon_named("guest in a hurry", async {
            move_on_after(1.0, async { Ok(sleep(60.0).await?) }).await.map(drop)
        });
        Ok(())
    })
    .await
}

#[test]
fn see_09_the_picture_in_the_documentation_is_as_timelines_are() {
    let recorder = Recorder::new();
    Builder::new().clock(MockClock::autojump()).record(recorder.clone()).run(program()).unwrap();
    let drawn = recorder.timeline().svg();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/docs/timeline.svg");
    if std::env::var_os("TERZETTO_DRAW_PICTURES").is_some() {
        fs::write(&path, &drawn).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(drawn == kept, "docs/timeline.svg is not as timelines are now; `.ci/pictures` draws it anew");
}
