//! Errors that know cancellation.
//!
//! A scope must distinguish a cancellation from a failure in every error that passes through it. One boxed error type
//! for the whole crate makes that possible, and users' errors need not implement anything for it. `?` converts every
//! `std::error::Error` into an [`Error`]. When a scope or a nursery asks, the [`Error`] looks into it once for a
//! [`Cancelled`] ([`inside`]). The single type also solves type inference: a body or a child always returns
//! `Result<_, Error>`, so a plain `Ok(())` needs no annotation.
//!
//! # Why nurseries do not carry a user's own error type
//!
//! A `Nursery<'scope, 'env, E>`, whose tasks fail with the program's `E`, was considered and rejected.
//!
//! - Every checkpoint in a task may fail with `Cancelled`, so `E` would have to be able to hold one. A scope would need
//!   a way to take it out of `E` again. That would be a trait, which each program implements, and may implement
//!   wrongly. Then a scope could swallow a failure, or pass on its own cancellation. This module is there to prevent
//!   that.
//! - A nursery fails with several errors, so its error would be a group of `E`. The nursery around it would use that
//!   group as its own `E`, or convert it. So each level would have its own type, and an error would change its type
//!   at each level that it passes.
//! - `E` could not be inferred: the last expression of most bodies is `Ok(())`, which does not determine it. Each
//!   nursery and each task would need an annotation.
//! - Functions that take a nursery (`serve_tcp`, `supervise`) would be generic in `E`, and so would all their callers.
//!
//! The purpose of such a nursery would be to match on the program's own errors where the nursery ends. [`Error::find`]
//! does that: it searches groups and causes for a type. A program's own enums work inside tasks, too: they wrap an
//! `Error` by derive, and `?` converts them back into one.

mod cancelled;
mod convert;
mod deadlock;
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
pub use deadlock::Deadlock;
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
/// `?` makes it from every type that implements `std::error::Error + Send + Sync`. [`OrError::or_error`] makes it from
/// types that do not (boxed errors, `anyhow::Error`, `eyre::Report`). [`Error::msg`] makes it from a text.
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
/// Like `anyhow::Error` it does not implement `std::error::Error` itself. If it did, it could not be made from all
/// other errors. Instead it dereferences to a `std::error::Error`. So it can be the source of an error of your own,
/// also by derive:
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
/// If you write `source` by hand, use `&**`:
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
/// So an error of your own counts as a cancellation if one of its causes, at any depth, is a cancellation or a group
/// of only cancellations. A cause may also be a group with both cancellations and failures. A scope that catches the
/// cancellations then removes them from the group. The scope returns your error itself, with the rest of the group
/// inside. (All this uses `source`. If an error has no source, its `Debug` is used. A derived `Debug` shows whether
/// there is only a cancellation inside. A hand-written `Debug` may hide that. Then the error counts as a failure,
/// which no scope swallows.) To mention a cancellation in an error that is a failure, put its
/// [`reason`](Cancelled::reason) into the error. Do not make the `Cancelled` itself its source.
///
/// # `anyhow` and `eyre`
///
/// With the features `anyhow` and `eyre`, `?` converts an `Error` into an `anyhow::Error` or an `eyre::Report`.
/// [`or_error`](OrError::or_error) converts these back, and needs no feature. A cancellation remains a cancellation,
/// even if contexts were added.
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
/// # How it is displayed
///
/// `Display` writes the error. For a group it writes each error in its own line. For a group of one it writes only that
/// error. Before each error it writes the task that it came from (see [`TaskOrigin`]). A `main` that returns an `Error`
/// prints it by `Debug`. `Debug` writes the causes, too. It leaves out causes that only repeat the text of the error
/// above them.
pub struct Error(Kind);

enum Kind {
    /// Stored by value, so that many cancelled tasks need not allocate their errors.
    Cancelled(Cancelled),
    Group(Box<ErrorGroup>),
    Other(Box<Other>),
}

struct Other {
    error: Box<dyn StdError + Send + Sync>,
    /// What is inside. It is computed when it is needed for the first time.
    inside: OnceLock<Inside>,
}

impl Other {
    fn new(error: Box<dyn StdError + Send + Sync>) -> Other {
        // Many errors are only a text. They have no cancellation inside, so no search is needed.
        let inside = if error.is::<MessageError>() { Inside::Nothing.into() } else { OnceLock::new() };
        Other { error, inside }
    }

    fn inside(&self) -> &Inside {
        self.inside.get_or_init(|| inside::look(&*self.error))
    }

    /// The cancellation inside, if the error as a whole is one.
    fn cancelled(&self) -> Option<&Cancelled> {
        match self.inside() {
            Inside::Cancelled(cancelled) => Some(cancelled),
            Inside::Nothing | Inside::MixedGroup => None,
        }
    }

    /// The group inside, if it had both cancellations and failures when it was searched.
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
    /// Whether the error as a whole is a cancellation. A group is one if it has members and all of them are
    /// cancellations. A user's own error is one if it was caused by one.
    pub fn is_cancelled(&self) -> bool {
        self.content() == Content::Cancelled
    }

    /// Whether a Ctrl-C is somewhere inside, even in a group beside other errors. It counts as a failure and not as a
    /// cancellation, so no scope swallows it.
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

    /// A cancellation somewhere inside, even in a group beside other errors.
    pub fn cancelled(&self) -> Option<&Cancelled> {
        match &self.0 {
            Kind::Cancelled(cancelled) => Some(cancelled),
            Kind::Group(group) => group.0.cancelled(),
            Kind::Other(other) => other.cancelled().or_else(|| other.mixed_group()?.cancelled()),
        }
    }

    /// The group, if this error is one. A failed nursery returns a group.
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

    /// The error as the type that it was made from. For a group this type is the group, and its members are not
    /// searched. [`Error::find`] searches them.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        match &self.0 {
            Kind::Cancelled(cancelled) => (cancelled as &dyn Any).downcast_ref(),
            Kind::Group(group) => (&**group as &dyn Any).downcast_ref(),
            Kind::Other(other) => other.error.downcast_ref(),
        }
    }

    /// The error by value as the type that it was made from, or this error unchanged.
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

    /// The first error of type `E`. It may be this error, one of its causes, or a member of a group at any depth or
    /// one of that member's causes.
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

    /// All errors of type `E`. [`Error::find`] returns the first of them. There may be several, for example if an
    /// enum wraps an `Error` that has the same enum inside.
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

    /// Divides the error into its cancellations and the rest. An error that is not a group, even a user's own,
    /// belongs to one side as a whole. A group is divided, and keeps its shape on both sides.
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

    /// What a scope finds in the error.
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

    /// Hides the cancellations inside a user's own error, which cannot be taken apart.
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

    /// If this is a nursery's group with only one failure, returns that failure. The cancellations beside it are
    /// dropped, since they mean only that this failure has ended the other tasks. If all members are cancellations,
    /// returns the first. Otherwise returns this error unchanged. This opens one level only, since a group that is
    /// the member was not made by this nursery.
    pub(crate) fn without_the_only_group(self) -> Error {
        match self.into_group() {
            Ok(group) => group.into_only(),
            Err(error) => error,
        }
    }

    fn as_std(&self) -> &(dyn StdError + 'static) {
        &**self
    }

    /// The chain of causes, beginning with this error. It includes the error that an `io::Error` holds.
    pub fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        draw::causes_told(self.as_std())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The text of a user's own error may include the text of another `Error`, which leads here again.
        with_stack(|| fmt::Display::fmt(self.as_std(), f))
    }
}

/// Writes the error, and each cause below it that adds something. This is the text that is printed if `main` returns an
/// `Error`. A cause is left out if its text is the text of the error above it, or the end of that text after a colon.
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
