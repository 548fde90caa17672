//! SCOPE-05 and NUR-05 for errors of every make: users' own, boxed, `io::Error`, groups.

use std::{error::Error as StdError, fmt, io};
use terzetto::{
    CancelScope, Cancelled, Error, ErrorGroup, TooSlow, checkpoint, fail_after, nursery, sleep_forever,
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

#[test]
fn a_groups_tree_is_readable_and_can_be_filtered() {
    let inner = ErrorGroup::new("two disks", vec![Error::msg("a is full"), Error::msg("b is gone")]);
    let group = ErrorGroup::new("the backup failed", vec![inner.into(), Error::msg("no route")]);
    assert_eq!(
        group.to_string(),
        "the backup failed (2 errors)\n  - two disks (2 errors)\n    - a is full\n    - b is gone\n  - no route"
    );
    let (full, rest) = group.split(|error| error.to_string().contains("full"));
    assert_eq!(
        full.unwrap().to_string(),
        "the backup failed (1 error)\n  - two disks (1 error)\n    - a is full"
    );
    assert_eq!(rest.unwrap().leaves().count(), 2);
}
