//! What `main` prints when a run fails.

use std::io;
use terzetto::{Error, channel, nursery, sleep};
use terzetto_tests::run_mock;

/// What a `main` that returns the error prints, without the numbers of lines.
fn printed(main: impl Future<Output = Result<(), Error>>) -> String {
    let text = format!("{:?}", run_mock(main).unwrap_err());
    let mut parts = text.split(concat!("(", file!(), ":"));
    let mut short = parts.next().unwrap().to_owned();
    for part in parts {
        short += "(here";
        short += part.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    short
}

async fn read(path: &str) -> Result<(), Error> {
    // It fails on its own, also if it is cancelled at that moment.
    let _cancelled = sleep(1.0).await;
    let error = io::Error::new(io::ErrorKind::NotFound, format!("{path} is missing"));
    Err(error.into())
}

#[test]
fn see_12_an_error_comes_with_the_path_of_tasks_that_it_came_through() {
    let text = printed(nursery(async |n| {
        n.start_soon_named("server", async {
            nursery(async |n| {
                n.start_soon_named("connection", async {
                    nursery(async |n| {
                        n.start_soon_named("reader", read("a.txt"));
                        n.start_soon_named("idle", async { Ok(sleep(100.0).await?) });
                        Ok(())
                    })
                    .await
                });
                Ok(())
            })
            .await
        });
        Ok(sleep(100.0).await?)
    }));
    assert_eq!(text, "task server (here): task connection (here): task reader (here): a.txt is missing");
}

#[test]
fn see_12_several_errors_are_a_tree_with_each_error_once() {
    let text = printed(nursery(async |n| {
        n.start_soon_named("loader", async {
            nursery(async |n| {
                n.start_soon_named("left", read("l.txt"));
                n.start_soon_named("right", read("r.txt"));
                Ok(())
            })
            .await
        });
        n.start_soon_named("watcher", read("w.txt"));
        Ok(())
    }));
    let expected = "\
a nursery's tasks failed (2 errors)
  - task watcher (here): w.txt is missing
  - task loader (here): a nursery's tasks failed (2 errors)
    - task left (here): l.txt is missing
    - task right (here): r.txt is missing";
    // The tasks of a batch fail in any order.
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(sorted(&text), sorted(expected), "{text}");
}

#[test]
fn see_12_an_error_that_travels_by_a_channel_is_told_once() {
    // One task hands the error to another, which fails with it. The first only says that it has ended.
    let text = printed(nursery(async |n| {
        let (sender, receiver) = channel::<Error>(0);
        n.start_soon_named("finds", async move { Ok(sender.send(Error::msg("disk full")).await?) });
        n.start_soon_named("fails", async move { Err(receiver.receive().await?) });
        Ok(())
    }));
    assert_eq!(text, "task fails (here): disk full");
}
