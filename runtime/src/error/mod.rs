//! Errors that know cancellation.
//!
//! A scope must tell a cancellation from a failure in whatever error passes through it. One boxed
//! error type for the whole crate makes that possible without asking anything of users' errors:
//! [`Error`] takes in every `std::error::Error` by `?`, and looks once, when it does, whether a
//! [`Cancelled`] is inside. It also settles type inference: a body or a child always returns
//! `Result<_, Error>`, so a plain `Ok(())` needs no annotation.

mod cancelled;
pub(crate) mod failure;
mod group;
pub(crate) mod internal;
mod nursery;

pub use cancelled::{CancelReason, CancelSource, Cancelled};
pub use group::ErrorGroup;
pub use internal::InternalError;
pub use nursery::{BodyCancelled, NurseryClosed};

use crate::core::stack::with_stack;
use std::{
    any::Any,
    error::Error as StdError,
    fmt::{self, Write as _},
    io,
};

/// Any error, a cancellation, or a group of errors.
///
/// An error of a user's own that carries a cancellation (its `source`, at any depth, is one, or a group
/// of nothing else) counts as that cancellation. One whose source is a group of which only a part is
/// cancelled counts as an error: it cannot be taken apart.
///
/// Made by `?` from whatever implements `std::error::Error + Send + Sync`, or by [`Error::msg`].
/// Like `anyhow::Error` it does not implement `std::error::Error` itself.
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
pub struct Error(Kind);

enum Kind {
    /// By value: when many tasks are cancelled, none of them has to allocate its error.
    Cancelled(Cancelled),
    Group(Box<ErrorGroup>),
    Other(Box<Other>),
}

struct Other {
    error: Box<dyn StdError + Send + Sync>,
    carries: Option<Cancelled>,
}

#[derive(Debug)]
struct Message(String);

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Message {}

impl Error {
    /// An error that is only a text.
    ///
    /// ```
    /// assert_eq!(terzetto::Error::msg("no such queue").to_string(), "no such queue");
    /// ```
    pub fn msg(text: impl Into<String>) -> Error {
        Error::from(Message(text.into()))
    }

    /// An error that is boxed already: `?` does not take such a one in.
    ///
    /// What is in the box is recognised: a [`Cancelled`] or an [`ErrorGroup`], also inside an
    /// `io::Error`, becomes what it would have become by `?`.
    ///
    /// ```
    /// use terzetto::Error;
    /// let boxed: Box<dyn std::error::Error + Send + Sync> = "no such key".into();
    /// assert_eq!(Error::from_boxed(boxed).to_string(), "no such key");
    /// ```
    pub fn from_boxed(error: Box<dyn StdError + Send + Sync>) -> Error {
        let error = match error.downcast::<Cancelled>() {
            Ok(cancelled) => return Error(Kind::Cancelled(*cancelled)),
            Err(error) => error,
        };
        let error = match error.downcast::<ErrorGroup>() {
            Ok(group) => return Error(Kind::Group(group)),
            Err(error) => error,
        };
        // A group inside an `io::Error` must come apart, so that a scope can take its part out of it.
        let error = match error.downcast::<io::Error>() {
            Ok(io) if io.get_ref().is_some_and(|inner| inner.is::<ErrorGroup>()) => match io.into_inner() {
                Some(inner) => return Error::from_boxed(inner),
                None => unreachable!("it has just shown what it holds"),
            },
            Ok(io) => io,
            Err(error) => error,
        };
        let carries = Cancelled::find_in(&*error);
        Error(Kind::Other(Box::new(Other { error, carries })))
    }

    /// Whether the error as a whole is a cancellation. A group is when all its members are.
    pub fn is_cancelled(&self) -> bool {
        match &self.0 {
            Kind::Cancelled(cancelled) => !cancelled.is_interrupt(),
            Kind::Group(group) => group.is_cancelled(),
            Kind::Other(other) => other.carries.as_ref().is_some_and(|carried| !carried.is_interrupt()),
        }
    }

    /// Whether a Ctrl-C is somewhere inside, also in a group beside other errors. It counts as an error
    /// and not as a cancellation: no scope swallows it.
    pub fn is_interrupted(&self) -> bool {
        match &self.0 {
            Kind::Cancelled(cancelled) => cancelled.is_interrupt(),
            Kind::Group(group) => group.leaves().any(Error::is_interrupted),
            Kind::Other(other) => other.carries.as_ref().is_some_and(Cancelled::is_interrupt),
        }
    }

    /// A cancellation somewhere inside, also in a group beside other errors.
    pub fn cancelled(&self) -> Option<&Cancelled> {
        match &self.0 {
            Kind::Cancelled(cancelled) => Some(cancelled),
            Kind::Group(group) => group.cancelled(),
            Kind::Other(other) => other.carries.as_ref(),
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

    /// The error as the type it was made from. A group is looked at as a group, not inside.
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

    /// The first error of type `E`: this one, or inside a group at any depth.
    pub fn find<E: StdError + 'static>(&self) -> Option<&E> {
        match self.group() {
            Some(group) => group.leaves().find_map(Error::downcast_ref),
            None => self.downcast_ref(),
        }
    }

    /// Divides the error into its cancellations and the rest. A plain error is wholly one or the
    /// other; a group divides, and keeps its shape on both sides.
    pub fn split_cancelled(self) -> (Option<Error>, Option<Error>) {
        if !matches!(self.0, Kind::Group(_)) {
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

    /// Whether no cancellation is in it, and no empty group.
    fn is_clean(&self) -> bool {
        match &self.0 {
            Kind::Group(group) => group.is_clean(),
            _ => !self.is_cancelled(),
        }
    }

    /// The error without its cancellations, and whether there were any.
    pub(crate) fn without_cancelled(self) -> (bool, Option<Error>) {
        if self.is_clean() {
            return (false, Some(self));
        }
        match self.into_group() {
            Ok(group) => {
                let (found, rest) = group.without_cancelled();
                (found, rest.map(Error::from))
            }
            Err(_cancelled) => (true, None),
        }
    }

    fn as_std(&self) -> &(dyn StdError + 'static) {
        match &self.0 {
            Kind::Cancelled(cancelled) => cancelled,
            Kind::Group(group) => &**group,
            Kind::Other(other) => &*other.error,
        }
    }

    /// The chain of causes, this error first.
    pub fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        let mut next = Some(self.as_std());
        std::iter::from_fn(move || {
            let error = next?;
            next = error.source();
            Some(error)
        })
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Error {
    fn from(error: E) -> Error {
        let mut slot = Some(error);
        let any: &mut dyn Any = &mut slot;
        // Cancellations, the commonest errors of all, are told without boxing them first.
        if let Some(cancelled) = any.downcast_mut::<Option<Cancelled>>().and_then(Option::take) {
            return Error(Kind::Cancelled(cancelled));
        }
        match slot {
            Some(error) => Error::from_boxed(Box::new(error)),
            None => unreachable!("taken above, where the function returned"),
        }
    }
}

impl From<Error> for Box<dyn StdError + Send + Sync> {
    fn from(error: Error) -> Self {
        match error.0 {
            Kind::Cancelled(cancelled) => Box::new(cancelled),
            Kind::Group(group) => group,
            Kind::Other(other) => other.error,
        }
    }
}

impl From<Error> for Box<dyn StdError> {
    fn from(error: Error) -> Self {
        Box::<dyn StdError + Send + Sync>::from(error)
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
        let mut above = text_of(self)?;
        f.write_str(&above)?;
        for cause in self.chain().skip(1).filter(|cause| !Cancelled::is_mark(*cause)) {
            let text = text_of(cause)?;
            if !says_already(&above, &text) {
                write!(f, "\ncaused by: {text}")?;
            }
            above = text;
        }
        Ok(())
    }
}

/// What an error says. Unlike `to_string` it does not panic if the error says that it cannot be displayed.
fn text_of(error: &(impl fmt::Display + ?Sized)) -> Result<String, fmt::Error> {
    let mut text = String::new();
    write!(text, "{error}")?;
    Ok(text)
}

fn says_already(above: &str, cause: &str) -> bool {
    above.strip_suffix(cause).is_some_and(|before| before.is_empty() || before.ends_with(": "))
}
