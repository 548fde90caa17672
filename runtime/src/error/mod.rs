//! Errors that know cancellation.
//!
//! A scope must tell a cancellation from a failure in whatever error passes through it. One boxed
//! error type for the whole crate makes that possible without asking anything of users' errors:
//! [`Error`] takes in every `std::error::Error` by `?`, and looks into it for a [`Cancelled`] once, when
//! a scope or a nursery asks ([`inside`]). It also settles type inference: a body or a child always returns
//! `Result<_, Error>`, so a plain `Ok(())` needs no annotation.
//!
//! # Why nurseries do not carry a user's own error type
//!
//! A `Nursery<'scope, 'env, E>`, whose tasks fail with the program's `E`, was weighed and is left out.
//!
//! - Every checkpoint in a task fails with `Cancelled`, so `E` would have to hold one, and a scope would need a way to take
//!   it out of `E` again: a trait that each program implements, and may implement wrongly. A scope that swallows a
//!   failure, or passes on its own cancellation, is what this module is there to exclude.
//! - A nursery fails with several errors. Its error would be a group of `E`; the nursery around it has that as its
//!   `E`, or converts it. So each level has a type of its own, and what climbs through them changes its type on the way.
//! - `E` could not be inferred: the last expression of most bodies is `Ok(())`, which says nothing of it. Each nursery
//!   and each task would have to be annotated.
//! - Functions that take a nursery (`serve_tcp`, `supervise`) would be generic in `E`, and so would all who call them.
//!
//! What is wanted from it is to match on one's own errors where the nursery ends. [`Error::find`] gives that: it looks through
//! groups and causes for a type. And own enums inside tasks work: they wrap an `Error` by derive, and go back into
//! one by `?`.

mod cancelled;
mod convert;
mod draw;
pub(crate) mod failure;
mod group;
mod inside;
pub(crate) mod internal;
mod nursery;
mod opaque;
pub(crate) mod origin;

pub use cancelled::{CancelReason, CancelSource, Cancelled};
pub use convert::OrError;
pub use group::ErrorGroup;
pub(crate) use group::Failures;
pub use internal::InternalError;
pub use nursery::{BodyCancelled, NurseryClosed};
pub use origin::TaskOrigin;

use crate::core::poll_tree::stack::with_stack;
use group::{Content, Members};
use inside::Inside;
use std::{any::Any, error::Error as StdError, fmt, sync::OnceLock};

/// Any error, a cancellation, or a group of errors.
///
/// Made by `?` from whatever implements `std::error::Error + Send + Sync`, by [`OrError::or_error`] from what does not
/// (boxed errors, `anyhow::Error`, `eyre::Report`), or by [`Error::msg`].
///
/// ```
/// use terzetto::Error;
/// fn port(text: &str) -> Result<u16, Error> {
///     Ok(text.parse()?)
/// }
/// let error = port("eighty").unwrap_err();
/// assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
/// assert!(!error.is_cancelled());
/// ```
///
/// # Errors of your own
///
/// Like `anyhow::Error` it does not implement `std::error::Error` itself: then it could not take in all others. It
/// dereferences to one instead, and with that it can be the source of an error of your own, also by derive:
///
/// ```
/// use terzetto::{Error, fail_after, move_on_after, nursery, sleep};
///
/// #[derive(Debug, thiserror::Error)]
/// enum AppError {
///     #[error("the disk {0} is full")]
///     Full(String),
///     #[error(transparent)]
///     Runtime(#[from] Error),
/// }
///
/// async fn copy() -> Result<u32, AppError> {
///     nursery(async |n| {
///         n.start_soon(async { Ok(sleep(1.0).await?) });
///         Ok(())
///     }).await?;
///     Err(AppError::Full("a".into()))
/// }
///
/// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
/// // The cancellation inside an `AppError` is a cancellation still: the scope that was cancelled takes it.
/// assert!(move_on_after(0.5, async { Ok(copy().await?) }).await?.is_none());
/// // A failure comes out as what it was.
/// let error = fail_after(2.0, async { Ok(copy().await?) }).await.unwrap_err();
/// assert!(matches!(error.find(), Some(AppError::Full(disk)) if disk == "a"));
/// # Ok(())
/// # }).unwrap();
/// ```
///
/// By hand `source` is written with `&**`:
///
/// ```
/// # use std::fmt;
/// #[derive(Debug)]
/// enum AppError {
///     Runtime(terzetto::Error),
/// }
/// # impl fmt::Display for AppError {
/// #     fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str("the runtime") }
/// # }
/// impl std::error::Error for AppError {
///     fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
///         match self {
///             AppError::Runtime(error) => Some(&**error),
///         }
///     }
/// }
/// ```
///
/// So an error of your own counts as a cancellation if one is among its causes, at any depth, or a group of nothing else.
/// If a cause is a group of which a part is cancelled, a scope that catches the cancellation takes that part out of the
/// group, and the rest comes out of the scope, in your error as it is. (That is by `source`. If an error has no source, its
/// `Debug` is asked: as derived it shows whether there is only a cancellation inside. A `Debug` written by hand may hide
/// that, and then the error counts as a failure, which no scope swallows.) To keep a cancellation as a note beside a failure,
/// put its [`reason`](Cancelled::reason) into the error, and not the `Cancelled` itself as its source.
///
/// # `anyhow` and `eyre`
///
/// With the features `anyhow` and `eyre` an `Error` becomes an `anyhow::Error` or an `eyre::Report` by `?`. On the way
/// back there is [`or_error`](OrError::or_error), which needs no feature. A cancellation stays one, also below contexts.
#[cfg_attr(
    feature = "anyhow",
    doc = r#"
```
use anyhow::Context;
use terzetto::{OrError, move_on_after, nursery, sleep};

async fn load() -> anyhow::Result<u32> {
    sleep(60.0).await.context("while the disk wakes up")?;
    Ok(nursery(async |_| Ok(1)).await?)
}

terzetto::run(async {
    let outcome = move_on_after(0.01, async { Ok(load().await.or_error()?) }).await?;
    assert!(outcome.is_none());
    Ok(())
})?;
# Ok::<(), terzetto::Error>(())
```
"#
)]
///
/// # How it is written
///
/// `Display` tells the error; of a group each error in a line, of a group of one only that, always after the task that it
/// came from (see [`TaskOrigin`]). `Debug`, which is what a `main` that returns an `Error` prints, tells the causes, too, and
/// leaves out those that only repeat what the error above them says.
pub struct Error(Kind);

enum Kind {
    /// By value: when many tasks are cancelled, none of them has to allocate its error.
    Cancelled(Cancelled),
    Group(Box<ErrorGroup>),
    Other(Box<Other>),
}

struct Other {
    error: Box<dyn StdError + Send + Sync>,
    /// What is inside, once that was asked.
    inside: OnceLock<Inside>,
}

impl Other {
    fn new(error: Box<dyn StdError + Send + Sync>) -> Other {
        // Errors that are only a text are many, and there is nothing to look for.
        let inside = if error.is::<MessageError>() { Inside::Nothing.into() } else { OnceLock::new() };
        Other { error, inside }
    }

    fn inside(&self) -> &Inside {
        self.inside.get_or_init(|| inside::look(&*self.error))
    }

    /// The cancellation that it carries, if it is nothing else.
    fn cancelled(&self) -> Option<&Cancelled> {
        match self.inside() {
            Inside::Cancelled(cancelled) => Some(cancelled),
            Inside::Nothing | Inside::MixedGroup => None,
        }
    }

    /// The group inside that has both cancellations and failures, or had when it was looked at.
    fn mixed_group(&self) -> Option<&Members> {
        match self.inside() {
            Inside::MixedGroup => inside::group_in(&*self.error),
            Inside::Nothing | Inside::Cancelled(_) => None,
        }
    }
}

#[derive(Debug)]
struct MessageError(String);

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for MessageError {}

impl Error {
    /// Whether the error as a whole is a cancellation. A group is when it has members and all of them are, an error of
    /// a user's own when it is what the error comes from.
    pub fn is_cancelled(&self) -> bool {
        self.content() == Content::Cancelled
    }

    /// Whether a Ctrl-C is somewhere inside, also in a group beside other errors. It counts as an error
    /// and not as a cancellation: no scope swallows it.
    pub fn is_interrupted(&self) -> bool {
        match &self.0 {
            Kind::Cancelled(cancelled) => cancelled.is_interrupt(),
            Kind::Group(group) => group.leaves().any(Error::is_interrupted),
            Kind::Other(other) => {
                other.cancelled().is_some_and(Cancelled::is_interrupt)
                    || inside::is_interrupted(&*other.error)
            }
        }
    }

    /// A cancellation somewhere inside, also in a group beside other errors.
    pub fn cancelled(&self) -> Option<&Cancelled> {
        match &self.0 {
            Kind::Cancelled(cancelled) => Some(cancelled),
            Kind::Group(group) => group.0.cancelled(),
            Kind::Other(other) => other.cancelled().or_else(|| other.mixed_group()?.cancelled()),
        }
    }

    /// The group, if this is one: what a failed nursery returns.
    pub fn group(&self) -> Option<&ErrorGroup> {
        match &self.0 {
            Kind::Group(group) => Some(group),
            _ => None,
        }
    }

    /// The group by value, or the error unchanged.
    pub fn into_group(self) -> Result<ErrorGroup, Error> {
        match self.0 {
            Kind::Group(group) => Ok(*group),
            other => Err(Error(other)),
        }
    }

    /// The error as the type it was made from. A group is looked at as a group, not inside; for that there is
    /// [`Error::find`].
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        match &self.0 {
            Kind::Cancelled(cancelled) => (cancelled as &dyn Any).downcast_ref(),
            Kind::Group(group) => (&**group as &dyn Any).downcast_ref(),
            Kind::Other(other) => other.error.downcast_ref(),
        }
    }

    /// The error as the type it was made from, by value; or this error unchanged.
    ///
    /// ```
    /// use terzetto::Error;
    /// let error = Error::from("x".parse::<u8>().unwrap_err());
    /// assert!(error.downcast::<std::num::ParseIntError>().is_ok());
    /// ```
    pub fn downcast<E: StdError + 'static>(self) -> Result<E, Error> {
        if self.downcast_ref::<E>().is_none() {
            return Err(self);
        }
        let boxed: Box<dyn StdError + Send + Sync> = self.into();
        boxed.downcast().map_or_else(|boxed| Err(Error::from_boxed(boxed)), |error| Ok(*error))
    }

    /// The first error of type `E`: this one, one of its causes, or inside a group at any depth, with the causes there.
    ///
    /// ```
    /// # use terzetto::{Error, ErrorGroup};
    /// let number = Error::from("x".parse::<u8>().unwrap_err());
    /// let hidden = std::io::Error::other(ErrorGroup::new("all", vec![Error::msg("disk full"), number]));
    /// assert!(Error::from(hidden).find::<std::num::ParseIntError>().is_some());
    /// ```
    pub fn find<E: StdError + 'static>(&self) -> Option<&E> {
        self.find_all().next()
    }

    /// All errors of type `E`, where [`Error::find`] looks for the first: an enum that wraps an `Error` may have another of
    /// its kind inside.
    ///
    /// ```
    /// # use terzetto::Error;
    /// #[derive(Debug, thiserror::Error)]
    /// enum AppError {
    ///     #[error("the disk is full")]
    ///     Full,
    ///     #[error("while copying")]
    ///     Copying(#[source] Error),
    /// }
    /// let error = Error::from(AppError::Copying(AppError::Full.into()));
    /// assert!(error.find_all().any(|error| matches!(error, AppError::Full)));
    /// ```
    pub fn find_all<E: StdError + 'static>(&self) -> impl Iterator<Item = &E> {
        inside::all_inside(self.as_std()).filter_map(|error| error.downcast_ref())
    }

    /// Divides the error into its cancellations and the rest. A plain error is wholly one or the
    /// other, also an error of a user's own; a group divides, and keeps its shape on both sides.
    pub fn split_cancelled(self) -> (Option<Error>, Option<Error>) {
        if !matches!(self.0, Kind::Group(_)) || self.content() != Content::Mixed {
            return if self.is_cancelled() { (Some(self), None) } else { (None, Some(self)) };
        }
        match self.into_group() {
            Ok(group) => {
                let (matched, rest) = group.split(Error::is_cancelled);
                (matched.map(Error::from), rest.map(Error::from))
            }
            Err(plain) => (None, Some(plain)),
        }
    }

    /// What a scope finds in it.
    fn content(&self) -> Content {
        let of_cancelled = |cancelled: &Cancelled| match cancelled.is_interrupt() {
            true => Content::Clean,
            false => Content::Cancelled,
        };
        match &self.0 {
            Kind::Cancelled(cancelled) => of_cancelled(cancelled),
            Kind::Group(group) => group.0.content(),
            Kind::Other(other) => match other.inside() {
                Inside::Nothing => Content::Clean,
                Inside::Cancelled(cancelled) => of_cancelled(cancelled),
                Inside::MixedGroup => other.mixed_group().map_or(Content::Clean, Members::content),
            },
        }
    }

    /// Hides the cancellations inside an error of a user's own, which cannot be taken apart.
    fn hide_cancelled(&self) {
        if let Kind::Other(other) = &self.0
            && let Some(group) = other.mixed_group()
        {
            group.hide_cancelled();
        }
    }

    /// The error without its cancellations, and whether there were any.
    pub(crate) fn without_cancelled(self) -> (bool, Option<Error>) {
        match self.content() {
            Content::Clean => return (false, Some(self)),
            Content::Cancelled => return (true, None),
            Content::Mixed => {}
        }
        match self.into_group() {
            Ok(group) => {
                let (found, rest) = group.without_cancelled();
                (found, rest.map(Error::from))
            }
            Err(own) => {
                own.hide_cancelled();
                (true, Some(own))
            }
        }
    }

    /// The error in a nursery's group that has only one beside cancellations, which then say no more than that the one has
    /// ended the others; or this error unchanged. One level only: a group that is the member was made by somebody else.
    pub(crate) fn without_the_only_group(self) -> Error {
        match self.into_group() {
            Ok(group) => group.into_only(),
            Err(error) => error,
        }
    }

    fn as_std(&self) -> &(dyn StdError + 'static) {
        &**self
    }

    /// The chain of causes, this error first; also what an `io::Error` holds.
    pub fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        draw::causes_told(self.as_std())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text of a user's own error may hold that of another `Error`, which comes here again.
        with_stack(|| fmt::Display::fmt(self.as_std(), f))
    }
}

/// The error, and each cause below it that says more: what `main` prints when it returns one. A cause is left out if
/// it is what the error above it says, or ends with after a colon.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cancelled =
            || self.cancelled().filter(|cancelled| self.is_cancelled() || cancelled.is_interrupt());
        opaque::answer(f, || cancelled().cloned()).unwrap_or_else(|| {
            with_stack(|| match self.group() {
                Some(group) => draw::write_group(&group.0, f, true),
                None => draw::write_with_causes(self.as_std(), f),
            })
        })
    }
}
