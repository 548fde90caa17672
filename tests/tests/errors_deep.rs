//! NUR-14: errors that climb through any number of nurseries, and what can be done with such a one.

use std::{error::Error as StdError, fmt, io, pin::Pin, time::Instant};
use terzetto::{CancelScope, Cancelled, Error, ErrorGroup, checkpoint, nursery};
use terzetto_tests::{levels, run_mock, sanitized};

type Block = Pin<Box<dyn Future<Output = Result<(), Error>>>>;

/// Nurseries in the bodies of nurseries; an error at the bottom.
fn climbing(levels: u32) -> Block {
    Box::pin(async move {
        match levels {
            0 => Err(Error::msg("at the bottom")),
            _ => nursery(async |_| climbing(levels - 1).await).await,
        }
    })
}

/// As `climbing`; on each level a child fails, too.
fn joined_by_others(levels: u32) -> Block {
    Box::pin(async move {
        match levels {
            0 => Err(Error::msg("at the bottom")),
            _ => {
                nursery(async |n| {
                    n.start_soon(async move { Err(Error::msg(levels.to_string())) });
                    joined_by_others(levels - 1).await
                })
                .await
            }
        }
    })
}

/// As `climbing`; on each level a child is cancelled.
fn beside_cancellations(levels: u32) -> Block {
    Box::pin(async move {
        match levels {
            0 => Err(Error::msg("at the bottom")),
            _ => {
                nursery(async |n| {
                    n.start_soon(async { Ok(checkpoint().await?) });
                    beside_cancellations(levels - 1).await
                })
                .await
            }
        }
    })
}

/// A group in a group and so on, around one error.
fn tower(levels: u32, error: Error) -> Error {
    (0..levels).fold(error, |inner, _| ErrorGroup::new("a level", vec![inner]).into())
}

/// A cancellation, as a checkpoint returns it.
fn cancellation() -> Error {
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel();
        Ok(scope.run(async { Ok(checkpoint().await.unwrap_err()) }).await?.unwrap().into())
    })
    .unwrap()
}

/// Many more levels than the stack of a test has room for.
fn many() -> u32 {
    levels(50_000)
}

#[test]
fn nur_14_an_error_climbs_any_number_of_levels_in_linear_time() {
    for block in [climbing, joined_by_others] {
        let time = |levels: u32| {
            let start = Instant::now();
            let error = run_mock(block(levels)).unwrap_err();
            assert!(error.group().unwrap().leaves().any(|leaf| leaf.to_string() == "at the bottom"));
            drop(error);
            start.elapsed().as_secs_f64()
        };
        let many = levels(10_000);
        // As in SCOPE-21: ten times the levels take some ten times the time, and not a hundred times.
        let linear = || time(many) < 50.0 * time(many / 10).max(0.001);
        assert!(
            (0..5).any(|_| linear()) || sanitized(),
            "{many} levels take more than 50 times as long as a tenth of them"
        );
    }
}

#[test]
fn nur_14_cancellations_are_taken_out_of_an_error_on_every_level() {
    let many = levels(10_000);
    run_mock(async {
        let scope = CancelScope::new();
        scope.cancel();
        let error = scope.run(beside_cancellations(many)).await.unwrap_err();
        assert!(scope.cancelled_caught() && error.cancelled().is_none());
        assert_eq!(error.group().unwrap().leaves().count(), 1);
        // The tree keeps its shape.
        let depth = std::iter::successors(Some(&error), |error| error.group()?.errors().first()).count();
        assert_eq!(depth, many as usize + 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn nur_14_groups_of_any_depth_can_be_asked_and_divided() {
    let error = tower(many(), io::Error::other("at the bottom").into());
    assert!(!error.is_cancelled() && !error.is_interrupted() && error.cancelled().is_none());
    assert_eq!(error.find::<io::Error>().unwrap().to_string(), "at the bottom");
    assert!(error.find::<Cancelled>().is_none());
    let (cancelled, error) = error.split_cancelled();
    assert!(cancelled.is_none());
    let group = error.unwrap().into_group().ok().unwrap();
    let (bottom, rest) = group.split(|error| error.to_string() == "at the bottom");
    assert!(rest.is_none());
    let single = bottom.unwrap().into_single().ok().unwrap();
    assert_eq!(single.to_string(), "at the bottom");

    let cancelled = tower(many(), cancellation());
    assert!(cancelled.is_cancelled() && cancelled.cancelled().is_some());
    let boxed: Box<dyn StdError + Send + Sync> = cancelled.into();
    assert!(Cancelled::find_in(&*boxed).is_some());
    let (cancelled, rest) = Error::from(io::Error::other(boxed)).split_cancelled();
    assert!(cancelled.unwrap().is_cancelled() && rest.is_none());
}

#[test]
fn nur_14_a_group_of_any_depth_is_drawn() {
    let tree = (0..many()).fold(Error::msg("at the bottom"), |inner, _| {
        ErrorGroup::new("a level", vec![inner, Error::msg("beside it")]).into()
    });
    let text = tree.to_string();
    assert!(text.starts_with("a level (2 errors)\n  - a level (2 errors)\n    - a level (2 errors)\n"));
    assert_eq!(text.lines().count(), 2 * many() as usize + 1);
    // Depth is drawn as far as anybody can see.
    assert!(text.lines().all(|line| line.len() < 250));
}

#[test]
fn nur_14_a_single_error_is_one_short_line_however_many_groups_it_is_in() {
    let error = tower(many(), Error::msg("at the bottom"));
    let text = format!("…: {}at the bottom", "a level: ".repeat(10));
    assert_eq!((error.to_string(), format!("{error:?}")), (text.clone(), text));
    assert_eq!(run_mock(climbing(levels(1_000))).unwrap_err().to_string(), "at the bottom");
}

/// A user's own error around a group: the runtime does not look inside.
#[derive(Debug)]
struct Around(ErrorGroup);

impl fmt::Display for Around {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "around it: {}", self.0)
    }
}

impl StdError for Around {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

/// As `climbing`; on each level the error is wrapped.
fn wrapping(levels: u32) -> Block {
    Box::pin(async move {
        let Some(left) = levels.checked_sub(1) else { return Err(Error::msg("at the bottom")) };
        let error = nursery(async |_| wrapping(left).await).await.unwrap_err();
        Err(Around(error.into_group().ok().unwrap()).into())
    })
}

#[test]
fn nur_14_users_own_errors_may_be_wrapped_on_every_level() {
    let many = levels(5_000);
    let error = run_mock(wrapping(many)).unwrap_err();
    assert!(error.find::<Around>().is_some() && !error.is_cancelled());
    let text = error.to_string();
    assert!(text.ends_with("at the bottom"));
    assert_eq!(text.matches("around it").count(), many as usize);
}
