//! SCOPE-05 and NUR-05 for errors of users' own that wrap one of the runtime: by derive, by hand, through `anyhow` and
//! `eyre`. A cancellation inside one is a cancellation, and a failure is never taken for one.

use anyhow::Context;
use std::{error::Error as StdError, fmt, io, sync::Arc};
use terzetto::{
    CancelScope, Cancelled, Error, ErrorGroup, OrError, TooSlow, checkpoint, fail_after, move_on_after,
    nursery, sleep_forever,
};
use terzetto_tests::run_mock;

type Boxed = Box<dyn StdError + Send + Sync>;

#[derive(Debug, thiserror::Error)]
enum Derived {
    #[error("the disk is full")]
    Full,
    #[error("the runtime: {0}")]
    Runtime(#[from] Error),
    #[error("cancelled")]
    Cancelled(#[from] Cancelled),
    #[error("in a task")]
    Group(#[from] ErrorGroup),
}

#[derive(Debug, thiserror::Error)]
enum Transparent {
    #[error(transparent)]
    Runtime(#[from] Error),
    #[error(transparent)]
    Inner(#[from] Derived),
    #[error(transparent)]
    Any(#[from] anyhow::Error),
}

#[derive(Debug, thiserror::Error)]
#[error("outer")]
struct Twice(#[from] Transparent);

/// Written by hand, with a source.
#[derive(Debug)]
struct WithSource(Error);

impl fmt::Display for WithSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("by hand")
    }
}

impl StdError for WithSource {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.0)
    }
}

/// Written by hand, without.
#[derive(Debug)]
#[allow(dead_code, reason = "read by `Debug`")]
enum NoSource {
    Runtime(Error),
    Named { error: Error },
    Cancelled(Cancelled),
    Nested(Box<NoSource>),
    Step2(Option<Arc<Error>>),
    During(&'static str, Error),
    Many(Vec<Error>),
    Two(Error, Failure),
    Noted { disk: u32, last: Error },
}

#[derive(Debug)]
enum Failure {
    Full,
}

impl fmt::Display for NoSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("by hand, without a source")
    }
}

impl StdError for NoSource {}

/// What wraps an error of the runtime.
type Wrap = fn(Error) -> Error;

/// The ways in which an error of the runtime becomes one of a user's own, and comes back.
fn wraps() -> Vec<(&'static str, Wrap)> {
    vec![
        ("derived", |error| Derived::from(error).into()),
        ("transparent", |error| Transparent::from(error).into()),
        ("nested", |error| Transparent::from(Derived::from(error)).into()),
        ("nested twice", |error| Twice(Derived::from(error).into()).into()),
        ("wrapped again and again", |error| Derived::from(Error::from(Derived::from(error))).into()),
        ("by hand", |error| WithSource(error).into()),
        ("by hand, twice", |error| WithSource(WithSource(error).into()).into()),
        ("boxed", |error| Err::<(), Boxed>(error.into()).or_error().unwrap_err()),
        ("an own one, boxed", |error| Error::from_boxed(Box::new(Derived::from(error)))),
        ("io::Error", |error| io::Error::other(Boxed::from(error)).into()),
        ("an own one in an io::Error", |error| io::Error::other(Derived::from(error)).into()),
        ("anyhow", |error| Err::<(), _>(anyhow::Error::from(error)).or_error().unwrap_err()),
        ("anyhow with context", |error| {
            let result = Err::<(), _>(anyhow::Error::from(error)).context("inner").context("outer");
            result.or_error().unwrap_err()
        }),
        ("anyhow in an own one", |error| Transparent::from(anyhow::Error::from(error)).into()),
        ("an own one in anyhow", |error| {
            Err::<(), _>(Derived::from(error)).context("outer").or_error().unwrap_err()
        }),
        ("eyre", |error| Err::<(), _>(eyre::Report::from(error)).or_error().unwrap_err()),
        ("eyre with context", |error| {
            eyre::WrapErr::wrap_err(Err::<(), _>(eyre::Report::from(error)), "outer").or_error().unwrap_err()
        }),
        ("itself", |error| Err::<(), _>(error).or_error().unwrap_err()),
    ]
}

/// Those by which only a cancellation can be seen, and no group be taken apart.
fn opaque_wraps() -> Vec<(&'static str, Wrap)> {
    vec![
        ("no source", |error| NoSource::Runtime(error).into()),
        ("no source, a field", |error| NoSource::Named { error }.into()),
        ("no source, nested", |error| NoSource::Nested(Box::new(NoSource::Runtime(error))).into()),
        ("no source, shared", |error| NoSource::Step2(Some(Arc::new(error))).into()),
        ("no source, twice", |error| NoSource::Runtime(NoSource::Runtime(error).into()).into()),
        ("no source, of one in a list", |error| NoSource::Many(vec![error]).into()),
        ("no source, below a source", |error| WithSource(NoSource::Runtime(error).into()).into()),
        ("no source, in anyhow", |error| {
            Err::<(), _>(NoSource::Runtime(error)).context("outer").or_error().unwrap_err()
        }),
    ]
}

fn all_wraps() -> impl Iterator<Item = (&'static str, Wrap)> {
    wraps().into_iter().chain(opaque_wraps())
}

/// A group of nothing but cancellations, as a nursery makes it.
async fn cancelled_group() -> Result<(), Error> {
    nursery(async |n| {
        n.start_soon(async { Ok(sleep_forever().await?) });
        Ok(sleep_forever().await?)
    })
    .await
}

#[test]
fn scope_05_an_own_error_around_a_cancellation_is_a_cancellation() {
    run_mock(async {
        for (name, wrap) in all_wraps() {
            let alone = async || sleep_forever().await.map_err(Error::from).map_err(wrap);
            let group = async || cancelled_group().await.map_err(wrap);
            assert!(move_on_after(1.0, alone()).await?.is_none(), "{name}");
            assert!(move_on_after(1.0, group()).await?.is_none(), "{name}: a group");
            let slow = fail_after(1.0, alone()).await.unwrap_err();
            assert!(slow.downcast_ref::<TooSlow>().is_some(), "{name}: {slow}");
            // Of a scope around it, which the inner one leaves alone.
            let outer = CancelScope::with_timeout(1.0);
            let caught = outer
                .run(async {
                    let inner = CancelScope::new();
                    let outcome = inner.run(async { group().await }).await;
                    assert!(!inner.cancelled_caught());
                    let error = outcome.unwrap_err();
                    assert!(error.is_cancelled() && error.cancelled().is_some(), "{name}");
                    Err::<(), _>(error)
                })
                .await?;
            assert!(caught.is_none() && outer.cancelled_caught(), "{name}");
        }
        let by_itself = move_on_after(1.0, async { Ok(sleep_forever().await.map_err(Derived::from)?) });
        assert!(by_itself.await?.is_none());
        let opaque = move_on_after(1.0, async { Ok(sleep_forever().await.map_err(NoSource::Cancelled)?) });
        assert!(opaque.await?.is_none());
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_05_a_nursery_lists_only_the_failure_beside_own_errors_around_cancellations() {
    run_mock(async {
        for (name, wrap) in all_wraps() {
            let error = nursery(async |n| {
                n.start_soon(async move { sleep_forever().await.map_err(Error::from).map_err(wrap) });
                n.start_soon(async move { cancelled_group().await.map_err(wrap) });
                n.start_soon_named("disk", async { Err(Derived::Full.into()) });
                Ok(())
            })
            .await
            .unwrap_err();
            let leaves: Vec<String> = error.group().unwrap().leaves().map(ToString::to_string).collect();
            assert_eq!(leaves, ["the disk is full"], "{name}");
            assert!(matches!(error.find(), Some(Derived::Full)));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn scope_05_a_group_inside_an_own_error_loses_its_cancellations_and_stays() {
    /// A group that has a cancellation at two depths, and two failures.
    async fn mixed() -> Error {
        let cancelled = Error::from(checkpoint().await.unwrap_err());
        let also = Error::from(checkpoint().await.unwrap_err());
        let inner = ErrorGroup::new("inner", vec![cancelled, Derived::Full.into()]);
        ErrorGroup::new("outer", vec![also, inner.into(), Error::msg("no route")]).into()
    }
    run_mock(async {
        for (name, wrap) in wraps() {
            let scope = CancelScope::new();
            scope.cancel();
            let outcome: Result<Option<()>, Error> = scope.run(async { Err(wrap(mixed().await)) }).await;
            let error = outcome.unwrap_err();
            assert!(scope.cancelled_caught(), "{name}");
            assert!(!error.is_cancelled() && error.cancelled().is_none(), "{name}");
            assert!(error.find::<Cancelled>().is_none(), "{name}");
            assert!(error.find_all().any(|error| matches!(error, Derived::Full)), "{name}: {error:?}");
            assert!(!format!("{error:?}").contains("cancelled"), "{name}: {error:?}");
        }
        // The own error is there still, and so are the failures.
        let scope = CancelScope::new();
        scope.cancel();
        let outcome: Result<Option<()>, Error> =
            scope.run(async { Err(Derived::Runtime(mixed().await).into()) }).await;
        let Ok(Derived::Runtime(error)) = outcome.unwrap_err().downcast() else {
            panic!("it was a `Derived`")
        };
        let group = error.into_group().ok().unwrap();
        assert_eq!(group.to_string(), "outer (2 errors)\n  - inner: the disk is full\n  - no route");
        assert_eq!(group.into_errors().len(), 2);
        // What cannot be seen cannot be taken out: then it is a failure, and a whole one.
        for (name, wrap) in opaque_wraps() {
            let scope = CancelScope::new();
            scope.cancel();
            let outcome: Result<Option<()>, Error> = scope.run(async { Err(wrap(mixed().await)) }).await;
            assert!(outcome.is_err_and(|error| !error.is_cancelled()), "{name}");
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_05_groups_with_own_errors_come_apart_at_every_nursery() {
    run_mock(async {
        let error = nursery(async |n| {
            n.start_soon(async {
                let error = nursery(async |n| {
                    n.start_soon(async { Ok(sleep_forever().await?) });
                    n.start_soon(async {
                        let cancelled = sleep_forever().await.unwrap_err();
                        Err(Derived::from(ErrorGroup::new(
                            "both",
                            vec![cancelled.into(), Derived::Full.into()],
                        ))
                        .into())
                    });
                    Ok(())
                })
                .await;
                Ok(error.map_err(Twice::from_error)?)
            });
            n.start_soon(async { Err(Error::msg("no route")) });
            Ok(())
        })
        .await
        .unwrap_err();
        assert!(error.cancelled().is_none() && error.find::<Cancelled>().is_none());
        assert!(error.find::<Twice>().is_some());
        let own: Vec<String> = error.find_all::<Derived>().map(ToString::to_string).collect();
        assert_eq!(own, ["in a task", "the disk is full"]);
        assert_eq!(error.group().unwrap().leaves().count(), 2);
        Ok(())
    })
    .unwrap();
}

impl Twice {
    fn from_error(error: Error) -> Twice {
        Twice(error.into())
    }
}

#[test]
fn nur_05_a_failure_is_never_taken_for_the_cancellation_that_it_mentions() {
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel();
        scope
            .run(async {
                let cancelled = || async { Error::from(checkpoint().await.unwrap_err()) };
                let failures: Vec<Error> = vec![
                    NoSource::During("copying", cancelled().await).into(),
                    NoSource::Many(vec![cancelled().await, Error::msg("disk full")]).into(),
                    NoSource::Many(vec![Error::msg("disk full")]).into(),
                    NoSource::Two(cancelled().await, Failure::Full).into(),
                    NoSource::Noted { disk: 1, last: cancelled().await }.into(),
                    NoSource::Runtime(Error::msg("disk full")).into(),
                    Derived::Full.into(),
                ];
                for error in failures {
                    assert!(!error.is_cancelled() && error.cancelled().is_none(), "{error:?}");
                }
                Ok(())
            })
            .await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn an_error_whose_debug_panics_is_a_failure() {
    struct Silent;
    impl fmt::Debug for Silent {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            panic!("it has nothing to show")
        }
    }
    impl fmt::Display for Silent {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("silent")
        }
    }
    impl StdError for Silent {}
    let error = run_mock(nursery(async |_| Err::<(), _>(Silent.into()))).unwrap_err();
    assert!(error.find::<Silent>().is_some() && !error.is_cancelled());
}

#[test]
fn find_looks_through_causes_groups_and_io_errors() {
    for (name, wrap) in wraps() {
        // What is transparent hides an error itself, and shows its causes.
        let is_hidden =
            ["transparent", "anyhow with context", "anyhow in an own one", "eyre", "eyre with context"];
        assert!(is_hidden.contains(&name) || wrap(Failing.into()).find::<Failing>().is_some(), "{name}");
        assert!(wrap(Derived::from(Error::from(Failing)).into()).find::<Failing>().is_some(), "{name}");
        let group = ErrorGroup::new(
            "two",
            vec![Error::msg("other"), Error::from(Derived::from(Error::from(Failing)))],
        );
        let found = Error::from(WithSource(group.into()));
        assert!(found.find::<Failing>().is_some() && found.downcast_ref::<Failing>().is_none());
    }
}

#[derive(Debug, thiserror::Error)]
#[error("failing")]
struct Failing;

#[test]
fn anyhow_and_eyre_keep_what_an_error_is() {
    async fn by_anyhow() -> anyhow::Result<()> {
        nursery(async |n| {
            n.start_soon_named("child", async { Err(Failing.into()) });
            Ok(())
        })
        .await?;
        Ok(())
    }
    async fn by_eyre() -> eyre::Result<()> {
        Ok(nursery(async |_| Err::<(), _>(Failing.into())).await?)
    }
    run_mock(async {
        let error = by_anyhow().await.unwrap_err();
        assert!(error.downcast_ref::<ErrorGroup>().is_some());
        let back = Err::<(), _>(error).or_error().unwrap_err();
        assert_eq!(back.group().unwrap().origin(0).unwrap().name(), "child");
        let error = by_eyre().await.unwrap_err();
        assert!(error.downcast_ref::<ErrorGroup>().is_some());
        let plain: anyhow::Error = Error::from(Failing).into();
        assert!(Err::<(), _>(plain).or_error().unwrap_err().downcast::<Failing>().is_ok());
        Ok(())
    })
    .unwrap();
}
