//! `ErrorGroup`: several errors that happened at once.
//!
//! Groups nest as deep as nurseries do, which may be deeper than a thread's stack. So whatever walks such a
//! tree here does it in a loop that keeps a list of the groups around it.

use super::{Cancelled, Error, Kind};
use crate::core::stack::with_stack;
use std::{borrow::Cow, error::Error as StdError, fmt, mem, vec};

/// In a drawing, what is in more groups than this is not indented any further.
const DEEPEST: usize = 100;

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
    clean: bool,
}

impl ErrorGroup {
    /// A group of `errors` under one `message`.
    pub fn new(message: impl Into<Cow<'static, str>>, errors: Vec<Error>) -> ErrorGroup {
        let clean = !errors.is_empty() && errors.iter().all(Error::is_clean);
        ErrorGroup { message: message.into(), errors, clean }
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
    pub fn into_errors(mut self) -> Vec<Error> {
        mem::take(&mut self.errors)
    }

    /// Every error that is not a group, at any depth, in order.
    pub fn leaves(&self) -> impl Iterator<Item = &Error> {
        let mut open = vec![self.errors.iter()];
        std::iter::from_fn(move || {
            loop {
                match open.last_mut()?.next() {
                    None => drop(open.pop()),
                    Some(error) => match error.group() {
                        Some(group) => open.push(group.errors.iter()),
                        None => return Some(error),
                    },
                }
            }
        })
    }

    /// Whether it has no cancellation inside, and no group that is empty. That is found out once, when the
    /// group is made: an error that climbs through nurseries need not be searched again in each of them.
    pub(super) fn is_clean(&self) -> bool {
        self.clean
    }

    /// Whether all that is inside is cancelled.
    pub(super) fn is_cancelled(&self) -> bool {
        !self.clean && self.leaves().all(Error::is_cancelled)
    }

    /// The first cancellation inside.
    pub(super) fn cancelled(&self) -> Option<&Cancelled> {
        self.leaves().find_map(Error::cancelled)
    }

    /// Divides the leaves by a predicate; each side keeps the tree's shape, without empty groups.
    pub fn split(self, matches: impl Fn(&Error) -> bool) -> (Option<ErrorGroup>, Option<ErrorGroup>) {
        self.divide(|error| match error.group() {
            Some(_) => Part::Open,
            None if matches(error) => Part::Matched,
            None => Part::Rest,
        })
    }

    /// The group without its cancellations, at any depth, and whether there were any.
    pub(super) fn without_cancelled(self) -> (bool, Option<ErrorGroup>) {
        let mut any = false;
        let (_, rest) = self.divide(|error| match error.group() {
            _ if error.is_clean() => Part::Rest,
            Some(_) => Part::Open,
            None => {
                any = true;
                Part::Gone
            }
        });
        (any, rest)
    }

    /// Divides the members, and those of each group that is to be opened.
    fn divide(self, mut judge: impl FnMut(&Error) -> Part) -> (Option<ErrorGroup>, Option<ErrorGroup>) {
        let mut around = Vec::new();
        let mut group = Divided::new(self);
        loop {
            let Some(error) = group.left.next() else {
                let (matched, rest) = group.sides();
                match around.pop() {
                    Some(outer) => group = outer,
                    None => return (matched, rest),
                }
                group.matched.extend(matched.map(Error::from));
                group.rest.extend(rest.map(Error::from));
                continue;
            };
            match judge(&error) {
                Part::Matched => group.matched.push(error),
                Part::Rest => group.rest.push(error),
                Part::Gone => drop(error),
                Part::Open => match error.into_group() {
                    Ok(inner) => around.push(mem::replace(&mut group, Divided::new(inner))),
                    Err(leaf) => group.rest.push(leaf),
                },
            }
        }
    }

    /// The only member of a group of one (as deep as groups of one go), or the group unchanged.
    pub fn into_single(mut self) -> Result<Error, ErrorGroup> {
        if self.errors.len() != 1 {
            return Err(self);
        }
        while let Some(error) = self.errors.pop() {
            match error.into_group() {
                Ok(inner) if inner.errors.len() == 1 => self = inner,
                Ok(inner) => return Ok(inner.into()),
                Err(leaf) => return Ok(leaf),
            }
        }
        Err(self)
    }

    fn draw_title(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (n, s) = (self.errors.len(), if self.errors.len() == 1 { "" } else { "s" });
        write!(f, "{} ({n} error{s})", self.message)
    }

    fn draw(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.draw_title(f)?;
        let mut open = vec![self.errors.iter()];
        while let Some(members) = open.last_mut() {
            let Some(error) = members.next() else {
                open.pop();
                continue;
            };
            write!(f, "\n{:indent$}- ", "", indent = 2 * open.len().min(DEEPEST))?;
            match error.group() {
                Some(group) => {
                    group.draw_title(f)?;
                    open.push(group.errors.iter());
                }
                None => write!(f, "{error}")?,
            }
        }
        Ok(())
    }
}

/// What becomes of a member when a group is divided.
enum Part {
    Matched,
    Rest,
    /// It is left out.
    Gone,
    /// It is a group, and is divided itself.
    Open,
}

/// A group that is being divided.
struct Divided {
    message: Cow<'static, str>,
    left: vec::IntoIter<Error>,
    matched: Vec<Error>,
    rest: Vec<Error>,
}

impl Divided {
    fn new(mut group: ErrorGroup) -> Divided {
        let (message, errors) = (mem::take(&mut group.message), mem::take(&mut group.errors));
        Divided { message, left: errors.into_iter(), matched: Vec::new(), rest: Vec::new() }
    }

    /// What matched and the rest, each as a group if there is any.
    fn sides(self) -> (Option<ErrorGroup>, Option<ErrorGroup>) {
        let side =
            |errors: Vec<Error>| (!errors.is_empty()).then(|| ErrorGroup::new(self.message.clone(), errors));
        (side(self.matched), side(self.rest))
    }
}

impl Drop for ErrorGroup {
    fn drop(&mut self) {
        // A leaf may be an error of a user's own that holds a group, which comes here again.
        with_stack(|| {
            let mut left = mem::take(&mut self.errors);
            while let Some(error) = left.pop() {
                if let Kind::Group(mut group) = error.0 {
                    left.append(&mut group.errors);
                }
            }
        });
    }
}

/// The tree, a line for each error, indented (down to a hundred levels).
impl fmt::Display for ErrorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.draw(f)
    }
}

impl fmt::Debug for ErrorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.draw(f)
    }
}

impl StdError for ErrorGroup {}
