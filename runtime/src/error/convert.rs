//! Conversions into an [`Error`], and from an `Error` into other types.

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

    /// Converts an error that is boxed already. `?` cannot convert a boxed error, but [`OrError::or_error`] can.
    ///
    /// The error in the box is recognised. A [`Cancelled`] or an [`ErrorGroup`], even inside an `io::Error`, is
    /// converted as `?` would have converted it without the box.
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
        // A group is taken out of an `io::Error`, so that a scope can take the cancellations out of the group.
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
        // Cancellations are the most common errors, so they are recognised without boxing them first.
        if let Some(cancelled) = any.downcast_mut::<Option<Cancelled>>().and_then(Option::take) {
            return Error(Kind::Cancelled(cancelled));
        }
        match slot {
            Some(error) => Error::from_boxed(Box::new(error)),
            None => unreachable!("taken above, where the function returned"),
        }
    }
}

/// Converts errors that `?` alone cannot convert: `.or_error()?`.
///
/// This is for results whose error does not implement `std::error::Error`, but can be converted into a boxed error:
/// `Box<dyn Error + Send + Sync>`, `anyhow::Error`, `eyre::Report`, or a text. (`?` would need a `From` for these types
/// beside the `From` for every `std::error::Error`, and Rust does not allow both.)
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
    /// Returns the result with its error converted into an [`Error`]. If an `Error` was boxed before, this may be that
    /// error again.
    ///
    /// # Errors
    /// It fails if the result is an error.
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

/// Takes out an error of a known type that has a better conversion than the general one.
fn as_it_was(slot: &mut dyn Any) -> Option<Error> {
    if let Some(error) = slot.downcast_mut::<Option<Error>>() {
        return error.take();
    }
    #[cfg(feature = "anyhow")]
    if let Some(error) = slot.downcast_mut::<Option<anyhow::Error>>().and_then(Option::take) {
        // Unlike the plain conversion this keeps the type.
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

/// A cancellation or a group can be downcast to its type. Any other error can be downcast to
/// `Box<dyn Error + Send + Sync>`, in which it was stored.
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

/// A cancellation or a group can be downcast to its type. Any other error can be downcast to
/// `Box<dyn Error + Send + Sync>`, in which it was stored.
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

/// Dereferences to the error that this was made from. So an `Error` can be the `source` of another error, even if that
/// error derives its implementation.
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
