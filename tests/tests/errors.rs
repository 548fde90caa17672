//! SCOPE-05, SCOPE-18, NUR-05 and NUR-18 for errors of every make: users' own, boxed, `io::Error`, groups,
//! such as cannot be displayed.

use std::{
    cell::Cell,
    error::Error as StdError,
    fmt::{self, Write},
    io,
    panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind},
};
use terzetto::{
    CancelScope, CancelSource, Cancelled, Error, ErrorGroup, TooSlow, channel, checkpoint, fail_after,
    io::StreamError,
    lowlevel::cancel_shielded_checkpoint,
    nursery,
    process::{Command, run_process},
    sleep, sleep_forever,
    sync::Lock,
};
use terzetto_tests::run_mock;

/// An application's error, as one writes it by hand or has it derived.
#[derive(Debug)]
enum AppError {
    Cancelled(Cancelled),
    Io(io::Error),
    Several(ErrorGroup),
    Full { disk: String },
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AppError::Cancelled(_) => f.write_str("cancelled"),
            AppError::Io(_) => f.write_str("input or output failed"),
            AppError::Several(_) => f.write_str("several things failed"),
            AppError::Full { disk } => write!(f, "disk {disk} is full"),
        }
    }
}

impl StdError for AppError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            AppError::Cancelled(error) => Some(error),
            AppError::Io(error) => Some(error),
            AppError::Several(error) => Some(error),
            AppError::Full { .. } => None,
        }
    }
}

impl From<Cancelled> for AppError {
    fn from(error: Cancelled) -> AppError {
        AppError::Cancelled(error)
    }
}

impl From<io::Error> for AppError {
    fn from(error: io::Error) -> AppError {
        AppError::Io(error)
    }
}

/// Code that speaks the application's own errors.
async fn work(fails: bool) -> Result<u32, AppError> {
    if fails {
        return Err(AppError::Full { disk: "a".into() });
    }
    sleep_forever().await?;
    Ok(1)
}

#[test]
fn scope_05_users_own_errors_travel_by_the_question_mark() {
    run_mock(async {
        // A cancellation inside one is this scope's to catch.
        let scope = CancelScope::with_timeout(1.0);
        assert_eq!(scope.run(async { Ok(work(false).await?) }).await?, None);
        assert!(scope.cancelled_caught());
        let slow = fail_after(1.0, async { Ok(work(false).await?) }).await.unwrap_err();
        assert!(slow.downcast_ref::<TooSlow>().is_some());
        // Another error comes out as what it was, also out of a nursery.
        let error = nursery(async |n| {
            n.start_soon(async { work(false).await.map(drop).map_err(Error::from) });
            Ok(work(true).await?)
        })
        .await
        .unwrap_err();
        assert!(matches!(error.find(), Some(AppError::Full { disk }) if disk == "a"), "{error}");
        let group = error.into_group().ok().and_then(|group| group.into_single().ok()).unwrap();
        assert!(matches!(group.downcast::<AppError>(), Ok(AppError::Full { .. })));
        Ok(())
    })
    .unwrap();
}

/// A cancellation, wrapped in each of the ways in which it travels through others' code.
fn disguises() -> Vec<fn(Cancelled) -> Error> {
    vec![
        |cancelled| cancelled.into(),
        |cancelled| io::Error::other(cancelled).into(),
        |cancelled| io::Error::other(io::Error::other(cancelled)).into(),
        |cancelled| AppError::Io(io::Error::other(cancelled)).into(),
        |cancelled| Error::from_boxed(Box::new(cancelled)),
        |cancelled| Error::from_boxed(Box::new(AppError::from(cancelled))),
        |cancelled| io::Error::other(Box::<dyn StdError + Send + Sync>::from(cancelled)).into(),
        |cancelled| ErrorGroup::new("all", vec![cancelled.clone().into(), cancelled.into()]).into(),
        |cancelled| AppError::Several(ErrorGroup::new("all", vec![cancelled.into()])).into(),
        |cancelled| Error::from_boxed(Box::<dyn StdError + Send + Sync>::from(Error::from(cancelled))),
    ]
}

#[test]
fn scope_05_a_cancellation_is_recognised_in_every_disguise() {
    run_mock(async {
        for (number, disguise) in disguises().into_iter().enumerate() {
            let scope = CancelScope::new();
            scope.cancel();
            let outcome = scope.run(async { checkpoint().await.map_err(disguise) }).await?;
            assert!(outcome.is_none() && scope.cancelled_caught(), "disguise {number}");
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_05_a_group_inside_other_errors_comes_apart() {
    run_mock(async {
        let wraps: [fn(ErrorGroup) -> Error; 4] = [
            Error::from,
            |group| io::Error::other(group).into(),
            |group| Error::from_boxed(Box::new(group)),
            |group| Error::from_boxed(Box::new(io::Error::other(group))),
        ];
        for wrap in wraps {
            let scope = CancelScope::new();
            scope.cancel();
            let outcome: Result<Option<()>, Error> = scope
                .run(async {
                    let cancelled = checkpoint().await.unwrap_err();
                    let inner = ErrorGroup::new("inner", vec![cancelled.clone().into(), Error::msg("kept")]);
                    Err(wrap(ErrorGroup::new("outer", vec![inner.into(), cancelled.into()])))
                })
                .await;
            let error = outcome.unwrap_err();
            assert!(scope.cancelled_caught() && error.cancelled().is_none());
            let leaves: Vec<String> = error.group().unwrap().leaves().map(ToString::to_string).collect();
            assert_eq!(leaves, ["kept"]);
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn errors_keep_their_type_and_their_causes() {
    let error = Error::from(AppError::Io(io::Error::new(io::ErrorKind::NotFound, "no such file")));
    assert_eq!(format!("{error:?}"), "input or output failed\ncaused by: no such file");
    assert!(error.downcast_ref::<io::Error>().is_none(), "the cause is not the error");
    let error = error.downcast::<TooSlow>().unwrap_err();
    assert!(matches!(error.downcast::<AppError>(), Ok(AppError::Io(_))));
    let boxed: Box<dyn StdError> = Error::msg("plain").into();
    assert_eq!(boxed.to_string(), "plain");
}

/// An error with a cause, as one has it derived.
#[derive(Debug)]
struct Layer(&'static str, Box<dyn StdError + Send + Sync>);

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Layer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.1)
    }
}

#[test]
fn what_main_prints_leaves_out_causes_that_say_nothing_new() {
    for (layers, text) in [
        (&["disk full"][..], "disk full"),
        (&["disk full", "disk full", "disk full"], "disk full"),
        (&["copy: write: disk full", "write: disk full", "disk full"], "copy: write: disk full"),
        (&["copy failed", "write: disk full", "disk full"], "copy failed\ncaused by: write: disk full"),
        (&["disk full", "write", "disk full"], "disk full\ncaused by: write\ncaused by: disk full"),
        // What ends alike by chance is another text.
        (&["not found", "found"], "not found\ncaused by: found"),
        (&["größe", "e"], "größe\ncaused by: e"),
        (&["full", "disk: full"], "full\ncaused by: disk: full"),
    ] {
        let (last, above) = layers.split_last().unwrap();
        let bottom: Box<dyn StdError + Send + Sync> = (*last).into();
        let error = above.iter().rfold(bottom, |cause, layer| Box::new(Layer(layer, cause)));
        assert_eq!(format!("{:?}", Error::from_boxed(error)), text);
    }
}

#[test]
fn what_main_prints_of_the_runtimes_own_errors_says_each_thing_once() {
    let refused = || io::Error::from(io::ErrorKind::ConnectionRefused);
    let debug = |error: Error| format!("{error:?}");
    assert_eq!(debug(StreamError::Io(refused()).into()), "connection refused");
    let broken = StreamError::Broken(Some(refused()));
    assert_eq!(debug(broken.into()), "the stream is broken: connection refused");
    run_mock(async {
        let error = Error::from(terzetto::fs::read("/nowhere/at/all").await.unwrap_err());
        assert_eq!(debug(error), "cannot read \"/nowhere/at/all\": No such file or directory (os error 2)");
        let error = run_process(Command::new("/nowhere/at/all")).await.unwrap_err();
        assert!(debug(error).ends_with("\"/nowhere/at/all\": No such file or directory (os error 2)"));
        let (lock, (_send, receive)) = (Lock::new(), channel::<u8>(0));
        let scope = CancelScope::new();
        scope.cancel_with_reason("tea is ready");
        let cancelled = || async {
            vec![
                Error::from(checkpoint().await.unwrap_err()),
                lock.acquire().await.unwrap_err().into(),
                receive.receive().await.unwrap_err().into(),
                StreamError::Cancelled(checkpoint().await.unwrap_err()).into(),
                io::Error::other(checkpoint().await.unwrap_err()).into(),
                io::Error::from(StreamError::Cancelled(checkpoint().await.unwrap_err())).into(),
            ]
        };
        scope
            .run(async {
                for error in cancelled().await {
                    assert_eq!(debug(error), "cancelled on request, by task main: tea is ready");
                }
                let error = AppError::from(checkpoint().await.unwrap_err());
                let text = "cancelled\ncaused by: cancelled on request, by task main: tea is ready";
                assert_eq!(debug(error.into()), text);
                Ok(())
            })
            .await
            .map(drop)
    })
    .unwrap();
}

#[test]
fn what_cannot_be_displayed_cannot_be_printed_and_does_not_panic() {
    /// Its display fails.
    #[derive(Debug)]
    struct Silent;
    impl fmt::Display for Silent {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            Err(fmt::Error)
        }
    }
    impl StdError for Silent {}
    let mut text = String::new();
    let error = Error::from(Layer("heard", Box::new(Silent)));
    assert!(write!(text, "{error:?}").is_err());
    assert_eq!(text, "heard");
}

#[test]
fn a_groups_tree_is_readable_and_can_be_filtered() {
    let inner = ErrorGroup::new("two disks", vec![Error::msg("a is full"), Error::msg("b is gone")]);
    let group = ErrorGroup::new("the backup failed", vec![inner.into(), Error::msg("no route")]);
    assert_eq!(
        group.to_string(),
        "the backup failed (2 errors)\n  - two disks (2 errors)\n    - a is full\n    - b is gone\n  - no route"
    );
    let (full, rest) = group.split(|error| error.to_string().contains("full"));
    // A group of one is one line.
    assert_eq!(full.unwrap().to_string(), "the backup failed: two disks: a is full");
    assert_eq!(rest.unwrap().leaves().count(), 2);
}

/// The text of the cancellation that comes of a nursery's body that fails.
fn reason_of(error: Error) -> String {
    run_mock(async {
        let scope = &Cell::new(None);
        let _failed = nursery(async |n| {
            scope.set(Some(n.cancel_scope().clone()));
            Err::<(), _>(error)
        })
        .await;
        let reason = scope.take().unwrap().reason().unwrap();
        assert_eq!(reason.source(), CancelSource::Nursery);
        Ok(reason.text().unwrap().to_owned())
    })
    .unwrap()
}

#[test]
fn scope_18_a_nursery_that_cancels_itself_says_in_short_what_failed() {
    assert_eq!(reason_of(Error::msg("disk full")), "the nursery's body failed: disk full");
    let disks = || ErrorGroup::new("two disks", vec![Error::msg("a is full"), Error::msg("b is gone")]);
    assert_eq!(reason_of(disks().into()), "the nursery's body failed: a is full (and 1 more error)");
    let all = ErrorGroup::new("all", vec![disks().into(), Error::msg("no route")]);
    assert_eq!(reason_of(all.into()), "the nursery's body failed: a is full (and 2 more errors)");
    assert_eq!(reason_of(ErrorGroup::new("none", vec![]).into()), "the nursery's body failed: none");
    // Of a long text the beginning, cut between two characters.
    let text = reason_of(Error::msg("ä".repeat(1_000_000)));
    assert!(text.ends_with("ää…") && text.len() < 1_100, "{text}");
    let text = reason_of(Error::msg(format!("a{}", "ä".repeat(1_000_000))));
    assert!(text.ends_with("ää…") && text.len() < 1_100, "{text}");
}

/// An error that panics when it is displayed.
#[derive(Debug)]
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("unspeakable")
    }
}

impl StdError for Unspeakable {}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic_any("a bomb");
    }
}

/// Runs a nursery in which a child fails in each of these ways, while a sibling of theirs waits, which must be
/// cancelled and joined.
fn joined(failures: &[fn() -> Result<(), Error>]) -> Result<(), Error> {
    let cleaned = &Cell::new(false);
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        run_mock(async {
            nursery(async |n| {
                n.start_soon(async {
                    let cancelled = sleep_forever().await.unwrap_err();
                    CancelScope::new().shielded(true).run(async { Ok(sleep(1.0).await?) }).await?;
                    cleaned.set(true);
                    Err(cancelled.into())
                });
                checkpoint().await?;
                for (place, fail) in failures.iter().enumerate() {
                    n.start_soon(async move {
                        // One after the other, whatever the order of a batch.
                        for _ in 0..place {
                            cancel_shielded_checkpoint().await;
                        }
                        fail()
                    });
                }
                Ok(())
            })
            .await
        })
    }));
    assert!(cleaned.get(), "the sibling was dropped where it was, not cancelled and joined");
    outcome.unwrap_or_else(|payload| resume_unwind(payload))
}

#[test]
fn nur_18_siblings_are_joined_though_the_text_of_an_error_panics() {
    // The error comes out as any other.
    let error = joined(&[|| Err(Unspeakable.into())]).unwrap_err();
    assert!(error.find::<Unspeakable>().is_some());
    // All that can be said of it is who failed.
    assert_eq!(reason_of(Unspeakable.into()), "the nursery's body failed");
}

#[test]
fn nur_18_siblings_are_joined_though_a_second_panic_cannot_be_dropped() {
    let outcome = catch_unwind(|| joined(&[|| panic_any("the first"), || panic_any(Bomb)]));
    assert_eq!(outcome.unwrap_err().downcast_ref::<&str>(), Some(&"the first"));
}

#[test]
fn an_error_is_two_words() {
    assert_eq!(size_of::<Error>(), 2 * size_of::<usize>());
}
