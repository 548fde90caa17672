//! `ErrorGroup`: several errors that happened at once.

use super::Error;
use std::{borrow::Cow, error::Error as StdError, fmt};

/// Several errors together, as a nursery returns them; Python's `ExceptionGroup`.
///
/// A nursery inside a nursery gives a group inside a group: [`ErrorGroup::errors`] shows one
/// level, [`ErrorGroup::leaves`] all of them flat, and `Display` draws the tree.
///
/// ```
/// # use terzetto::{Error, nursery};
/// # terzetto::run(async {
/// let error = nursery(async |n| {
///     n.start_soon(async { Err(Error::msg("disk full")) });
///     n.start_soon(async { Err(Error::msg("no route")) });
///     Ok(())
/// }).await.unwrap_err();
/// let group = error.group().unwrap();
/// assert_eq!(group.leaves().count(), 2);
/// assert!(group.to_string().contains("disk full"));
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
pub struct ErrorGroup {
    message: Cow<'static, str>,
    errors: Vec<Error>,
}

impl ErrorGroup {
    /// A group of `errors` under one `message`.
    pub fn new(message: impl Into<Cow<'static, str>>, errors: Vec<Error>) -> ErrorGroup {
        ErrorGroup { message: message.into(), errors }
    }

    /// What the errors have in common.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The members, groups among them left whole.
    pub fn errors(&self) -> &[Error] {
        &self.errors
    }

    /// The members by value.
    pub fn into_errors(self) -> Vec<Error> {
        self.errors
    }

    /// Every error that is not a group, at any depth, in order.
    pub fn leaves(&self) -> impl Iterator<Item = &Error> {
        let mut todo: Vec<&Error> = self.errors.iter().rev().collect();
        std::iter::from_fn(move || {
            loop {
                let error = todo.pop()?;
                match error.group() {
                    Some(group) => todo.extend(group.errors.iter().rev()),
                    None => return Some(error),
                }
            }
        })
    }

    /// Divides the leaves by a predicate; each side keeps the tree's shape, without empty groups.
    pub fn split(self, matches: impl Fn(&Error) -> bool) -> (Option<ErrorGroup>, Option<ErrorGroup>) {
        self.split_with(&matches)
    }

    fn split_with(self, matches: &dyn Fn(&Error) -> bool) -> (Option<ErrorGroup>, Option<ErrorGroup>) {
        let (mut yes, mut no) = (Vec::new(), Vec::new());
        for error in self.errors {
            match error.into_group() {
                Ok(group) => {
                    let (inner_yes, inner_no) = group.split_with(matches);
                    yes.extend(inner_yes.map(Error::from));
                    no.extend(inner_no.map(Error::from));
                }
                Err(leaf) if matches(&leaf) => yes.push(leaf),
                Err(leaf) => no.push(leaf),
            }
        }
        let side = |errors: Vec<Error>| {
            (!errors.is_empty()).then(|| ErrorGroup { message: self.message.clone(), errors })
        };
        (side(yes), side(no))
    }

    /// The group without its cancellations, at any depth, and whether there were any.
    pub(super) fn without_cancelled(self) -> (bool, Option<ErrorGroup>) {
        let mut any = false;
        let left = self.errors.into_iter().filter_map(|error| {
            let (found, rest) = error.without_cancelled();
            any |= found;
            rest
        });
        let errors: Vec<Error> = left.collect();
        (any, (!errors.is_empty()).then_some(ErrorGroup { message: self.message, errors }))
    }

    /// The only member of a group of one (as deep as groups of one go), or the group unchanged.
    pub fn into_single(mut self) -> Result<Error, ErrorGroup> {
        if self.errors.len() != 1 {
            return Err(self);
        }
        match self.errors.pop() {
            Some(error) => match error.into_group() {
                Ok(group) => Ok(group.into_single().unwrap_or_else(Error::from)),
                Err(leaf) => Ok(leaf),
            },
            None => Err(self),
        }
    }

    fn draw(&self, f: &mut fmt::Formatter<'_>, indent: usize) -> fmt::Result {
        let (n, s) = (self.errors.len(), if self.errors.len() == 1 { "" } else { "s" });
        write!(f, "{} ({n} error{s})", self.message)?;
        for error in &self.errors {
            write!(f, "\n{:indent$}- ", "")?;
            match error.group() {
                Some(group) => group.draw(f, indent + 2)?,
                None => write!(f, "{error}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for ErrorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.draw(f, 2)
    }
}

impl fmt::Debug for ErrorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.draw(f, 2)
    }
}

impl StdError for ErrorGroup {}
