//! Conversions: what becomes an [`Error`], and what an `Error` becomes.

use crate::error::{Cancelled, Error, ErrorGroup, Kind, MessageError, Other};
use std::{any::Any, error::Error as StdError, io, ops::Deref};

type Boxed = Box<dyn StdError + Send + Sync>;

impl Error {
    /// An error that is only a text.
    ///
    /// ```
    /// assert_eq!(terzetto::Error::msg("no such queue").to_string(), "no such queue");
    /// ```
    pub fn msg(text: impl Into<String>) -> Error {
        Error::from(MessageError(text.into()))
    }

    /// An error that is boxed already: `?` does not take such a one in, [`OrError::or_error`] does.
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
        Error(Kind::Other(Box::new(Other::new(error))))
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

/// Takes in what `?` cannot: `.or_error()?`.
///
/// For results whose error is no `std::error::Error` itself and becomes a boxed one: `Box<dyn Error + Send + Sync>`,
/// `anyhow::Error`, `eyre::Report`, a text. (`?` would need a `From` for these beside that for every `std::error::Error`,
/// which Rust does not allow.)
///
/// ```
/// use std::error::Error as StdError;
/// use terzetto::{Error, OrError, checkpoint, move_on_after};
/// async fn foreign() -> Result<u32, Box<dyn StdError + Send + Sync>> {
///     loop { checkpoint().await? }
/// }
/// # terzetto::run(async {
/// let outcome = move_on_after(0.01, async { Ok(foreign().await.or_error()?) }).await?;
/// assert!(outcome.is_none());
/// let unknown: Result<(), Error> = Err("no such key").or_error();
/// assert_eq!(unknown.unwrap_err().to_string(), "no such key");
/// # Ok(())
/// # }).unwrap();
/// ```
pub trait OrError<T> {
    /// The result with its error as an [`Error`], which may be what it was before it was boxed.
    ///
    /// # Errors
    /// As the result.
    fn or_error(self) -> Result<T, Error>;
}

impl<T, E: Into<Boxed> + 'static> OrError<T> for Result<T, E> {
    fn or_error(self) -> Result<T, Error> {
        self.map_err(|error| {
            let mut slot = Some(error);
            if let Some(error) = as_it_was(&mut slot) {
                return error;
            }
            match slot {
                Some(error) => Error::from_boxed(error.into()),
                None => unreachable!("taken above, where the function returned"),
            }
        })
    }
}

/// Takes out an error whose type is known, and better converted as such.
fn as_it_was(slot: &mut dyn Any) -> Option<Error> {
    if let Some(error) = slot.downcast_mut::<Option<Error>>() {
        return error.take();
    }
    #[cfg(feature = "anyhow")]
    if let Some(error) = slot.downcast_mut::<Option<anyhow::Error>>().and_then(Option::take) {
        // Other than the plain conversion it keeps the type.
        return Some(Error::from_boxed(error.reallocate_into_boxed_dyn_error_without_backtrace()));
    }
    None
}

impl From<Error> for Boxed {
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
        Boxed::from(error)
    }
}

/// A cancellation or a group can be downcast to its type. Any other error can be to `Box<dyn Error + Send + Sync>`, which
/// is what it was kept in.
#[cfg(feature = "anyhow")]
impl From<Error> for anyhow::Error {
    fn from(error: Error) -> Self {
        match error.0 {
            Kind::Cancelled(cancelled) => anyhow::Error::new(cancelled),
            Kind::Group(group) => anyhow::Error::new(*group),
            Kind::Other(other) => anyhow::Error::from_boxed(other.error),
        }
    }
}

/// A cancellation or a group can be downcast to its type. Any other error can be to `Box<dyn Error + Send + Sync>`, which
/// is what it was kept in.
#[cfg(feature = "eyre")]
impl From<Error> for eyre::Report {
    fn from(error: Error) -> Self {
        match error.0 {
            Kind::Cancelled(cancelled) => eyre::Report::new(cancelled),
            Kind::Group(group) => eyre::Report::new(*group),
            Kind::Other(other) => eyre::eyre!(other.error),
        }
    }
}

/// The error that this was made from. By this an `Error` can be the `source` of another, also of one that
/// has its implementation derived.
impl Deref for Error {
    type Target = dyn StdError + Send + Sync + 'static;

    fn deref(&self) -> &Self::Target {
        match &self.0 {
            Kind::Cancelled(cancelled) => cancelled,
            Kind::Group(group) => &**group,
            Kind::Other(other) => &*other.error,
        }
    }
}

impl AsRef<dyn StdError + Send + Sync> for Error {
    fn as_ref(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &**self
    }
}

impl AsRef<dyn StdError> for Error {
    fn as_ref(&self) -> &(dyn StdError + 'static) {
        &**self
    }
}
