//! `ErrorGroup`: several errors that happened at once.
//!
//! Groups nest as deep as nurseries do. That may be too deep for recursion on a thread's stack. So all functions here
//! that walk such a tree use a loop, with a list of the enclosing groups.
//!
//! # A group inside a user's own error
//!
//! A scope takes the cancellations out of a group and passes on the rest. A group inside a user's own error can be
//! seen by `source`, but it cannot be taken out or changed. So its cancellations are hidden in place. A group always
//! keeps them behind its other members, and [`Members::hide_cancelled`] makes the visible list shorter from then on.

use crate::{
    core::poll_tree::stack::with_stack,
    error::{Cancelled, Error, Kind, draw::write_group, inside::group_in, opaque, origin::TaskOrigin},
};
use std::{
    borrow::Cow,
    error::Error as StdError,
    fmt, mem,
    sync::atomic::{AtomicBool, Ordering},
    vec,
};

/// The message of the group that a nursery makes.
const OF_NURSERY: &str = "a nursery's tasks failed";

/// Several errors together, as a nursery returns them; Python's `ExceptionGroup`.
///
/// A nursery inside a nursery gives a group inside a group. [`ErrorGroup::errors`] shows one level.
/// [`ErrorGroup::leaves`] shows the errors of all levels, without the groups. `Display` draws the tree.
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
pub struct ErrorGroup(pub(super) Members);

/// The content of a group. It is also the last error of the group's source chain. It marks the group there, since some
/// wrappers forward `source` instead of returning the error that they wrap. So the group is found in them, too.
pub(super) struct Members {
    message: Cow<'static, str>,
    /// The members. Those that are cancellations as a whole come last.
    errors: Vec<Error>,
    /// How many members come before those cancellations.
    kept: usize,
    /// Whether one of these first members has a cancellation inside.
    mixed: bool,
    /// Whether a scope has caught the cancellations, so that they must not be visible any more.
    caught: AtomicBool,
    /// The origins of the first `kept` members. The list is empty if they are not known.
    origins: Vec<Option<TaskOrigin>>,
}

/// What a scope finds in an error. For a group this is computed once, when it is made. So an error that passes through
/// several nurseries need not be searched again in each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// No cancellation.
    Clean,
    /// Nothing but cancellations.
    Cancelled,
    /// Both.
    Mixed,
}

impl ErrorGroup {
    /// A group of `errors` under one `message`. Cancellations come last.
    pub fn new(message: impl Into<Cow<'static, str>>, errors: Vec<Error>) -> ErrorGroup {
        ErrorGroup::with_origins(message.into(), errors, Vec::new())
    }

    /// As [`ErrorGroup::new`], with either the origins of all errors or an empty list.
    fn with_origins(
        message: Cow<'static, str>,
        mut errors: Vec<Error>,
        mut origins: Vec<Option<TaskOrigin>>,
    ) -> ErrorGroup {
        let (mut kept, mut mixed) = (0, false);
        for i in 0..errors.len() {
            let content = errors[i].content();
            mixed |= content == Content::Mixed;
            if content != Content::Cancelled {
                errors.swap(kept, i);
                if !origins.is_empty() {
                    origins.swap(kept, i);
                }
                kept += 1;
            }
        }
        origins.truncate(kept);
        ErrorGroup(Members { message, errors, kept, mixed, caught: AtomicBool::new(false), origins })
    }

    /// The message of the group, which describes all its errors together.
    pub fn message(&self) -> &str {
        self.0.message()
    }

    /// The members. A group among them is one member.
    pub fn errors(&self) -> &[Error] {
        self.0.errors()
    }

    /// The task that a member came from. `index` is the position in [`ErrorGroup::errors`]. The result is `None` for an
    /// error of a nursery's body, for a cancellation, and in a group that was not made by a nursery.
    pub fn origin(&self, index: usize) -> Option<&TaskOrigin> {
        self.0.origin(index)
    }

    /// The members by value.
    pub fn into_errors(mut self) -> Vec<Error> {
        self.take_errors()
    }

    fn take_errors(&mut self) -> Vec<Error> {
        let seen = self.0.errors().len();
        let mut errors = mem::take(&mut self.0.errors);
        errors.truncate(seen);
        errors
    }

    /// Every error that is not a group, at any depth, in order.
    pub fn leaves(&self) -> impl Iterator<Item = &Error> {
        self.0.leaves()
    }

    /// Divides the leaves by a predicate. Each side keeps the tree's shape, without empty groups.
    pub fn split(self, matches: impl Fn(&Error) -> bool) -> (Option<ErrorGroup>, Option<ErrorGroup>) {
        self.divide(|error| match error.group() {
            Some(_) => Part::Open,
            None if matches(error) => Part::Matched,
            None => Part::Rest,
        })
    }

    /// The group without the cancellations at any depth, and whether there were any.
    pub(super) fn without_cancelled(self) -> (bool, Option<ErrorGroup>) {
        let mut any = false;
        let (_, rest) = self.divide(|error| match error.content() {
            Content::Clean => Part::Rest,
            _ if error.group().is_some() => Part::Open,
            content => {
                any = true;
                match content {
                    Content::Cancelled => Part::Gone,
                    _ => {
                        error.hide_cancelled();
                        Part::Rest
                    }
                }
            }
        });
        (any, rest)
    }

    /// Divides the members, and the members of each group for which `judge` says so.
    fn divide(self, mut judge: impl FnMut(&Error) -> Part) -> (Option<ErrorGroup>, Option<ErrorGroup>) {
        let mut around = Vec::new();
        let mut group = Divided::new(self, None);
        loop {
            let Some((error, origin)) = group.next() else {
                let from = group.from.take();
                let (matched, rest) = group.sides();
                match around.pop() {
                    Some(outer) => group = outer,
                    None => return (matched, rest),
                }
                if let Some(matched) = matched {
                    group.matched.push(matched.into(), from.clone());
                }
                if let Some(rest) = rest {
                    group.rest.push(rest.into(), from);
                }
                continue;
            };
            match judge(&error) {
                Part::Matched => group.matched.push(error, origin),
                Part::Rest => group.rest.push(error, origin),
                Part::Gone => drop(error),
                Part::Open => match error.into_group() {
                    Ok(inner) => around.push(mem::replace(&mut group, Divided::new(inner, origin))),
                    Err(leaf) => group.rest.push(leaf, origin),
                },
            }
        }
    }

    /// The only failure, the first cancellation if there is no failure, or else the whole group.
    pub(super) fn into_only(mut self) -> Error {
        match self.0.kept {
            0 | 1 if !self.0.errors.is_empty() => self.0.errors.swap_remove(0),
            _ => self.into(),
        }
    }

    /// The only member of a group of one (as deep as groups of one go), or the group unchanged.
    pub fn into_single(mut self) -> Result<Error, ErrorGroup> {
        if self.errors().len() != 1 {
            return Err(self);
        }
        while let Some(error) = self.take_errors().pop() {
            match error.into_group() {
                Ok(inner) if inner.errors().len() == 1 => self = inner,
                Ok(inner) => return Ok(inner.into()),
                Err(leaf) => return Ok(leaf),
            }
        }
        Err(self)
    }
}

impl Members {
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// Whether the message is the usual one of a nursery. Before a single error it adds no information.
    pub(super) fn is_of_nursery(&self) -> bool {
        self.message == OF_NURSERY
    }

    pub(super) fn errors(&self) -> &[Error] {
        match self.caught.load(Ordering::Relaxed) {
            true => &self.errors[..self.kept],
            false => &self.errors,
        }
    }

    pub(super) fn origin(&self, index: usize) -> Option<&TaskOrigin> {
        self.origins.get(index)?.as_ref()
    }

    pub(super) fn with_origins(&self) -> impl Iterator<Item = (Option<&TaskOrigin>, &Error)> {
        self.errors().iter().enumerate().map(|(index, error)| (self.origin(index), error))
    }

    fn leaves(&self) -> impl Iterator<Item = &Error> {
        let mut open = vec![self.errors().iter()];
        std::iter::from_fn(move || {
            loop {
                match open.last_mut()?.next() {
                    None => drop(open.pop()),
                    Some(error) => match error.group() {
                        Some(group) => open.push(group.errors().iter()),
                        None => return Some(error),
                    },
                }
            }
        })
    }

    pub(super) fn content(&self) -> Content {
        match self.kept {
            // A group that was created without errors is a failure.
            0 if self.errors.is_empty() => Content::Clean,
            0 => Content::Cancelled,
            _ if self.caught.load(Ordering::Relaxed) => Content::Clean,
            kept if self.mixed || kept < self.errors.len() => Content::Mixed,
            _ => Content::Clean,
        }
    }

    /// The first cancellation inside.
    pub(super) fn cancelled(&self) -> Option<&Cancelled> {
        self.leaves().find_map(Error::cancelled)
    }

    /// Hides the cancellations that a scope has caught inside a group that cannot be taken apart. They are not visible
    /// any more.
    pub(super) fn hide_cancelled(&self) {
        let mut todo = vec![self];
        while let Some(group) = todo.pop() {
            if group.content() != Content::Mixed {
                continue;
            }
            group.caught.store(true, Ordering::Relaxed);
            todo.extend(group.errors().iter().filter_map(|error| group_in(error.as_std())));
        }
    }
}

/// The errors of a nursery: none, or a group that is still being filled.
#[derive(Default)]
pub(crate) struct Failures(Option<Box<ErrorGroup>>);

impl Failures {
    /// Adds an error. The origin of a cancellation is not recorded.
    pub(crate) fn push(&mut self, error: Error, origin: impl FnOnce() -> Option<TaskOrigin>) {
        let group = self.0.get_or_insert_with(|| Box::new(ErrorGroup::new(OF_NURSERY, Vec::new())));
        let members = &mut group.0;
        let content = error.content();
        members.errors.push(error);
        if content != Content::Cancelled {
            let last = members.errors.len() - 1;
            members.errors.swap(members.kept, last);
            members.kept += 1;
            members.mixed |= content == Content::Mixed;
            members.origins.push(origin());
        }
    }

    /// Fails with the group of all errors, if there were any.
    pub(crate) fn into_result(self) -> Result<(), Error> {
        self.0.map_or(Ok(()), |group| Err(Error(Kind::Group(group))))
    }
}

/// What happens to a member when a group is divided.
enum Part {
    Matched,
    Rest,
    /// It is left out.
    Gone,
    /// It is a group, and its members are divided.
    Open,
}

/// One side of a group that is being divided.
#[derive(Default)]
struct GroupHalf {
    errors: Vec<Error>,
    origins: Vec<Option<TaskOrigin>>,
}

impl GroupHalf {
    fn push(&mut self, error: Error, origin: Option<TaskOrigin>) {
        self.errors.push(error);
        self.origins.push(origin);
    }

    fn into_group(self, message: Cow<'static, str>) -> Option<ErrorGroup> {
        let any = !self.errors.is_empty();
        any.then(|| ErrorGroup::with_origins(message, self.errors, self.origins))
    }
}

/// A group that is being divided.
struct Divided {
    message: Cow<'static, str>,
    /// The origin of the group itself.
    from: Option<TaskOrigin>,
    left: vec::IntoIter<Error>,
    origins: vec::IntoIter<Option<TaskOrigin>>,
    matched: GroupHalf,
    rest: GroupHalf,
}

impl Divided {
    fn new(mut group: ErrorGroup, from: Option<TaskOrigin>) -> Divided {
        let left = group.take_errors().into_iter();
        let (message, origins) =
            (mem::take(&mut group.0.message), mem::take(&mut group.0.origins).into_iter());
        Divided { message, from, left, origins, matched: GroupHalf::default(), rest: GroupHalf::default() }
    }

    fn next(&mut self) -> Option<(Error, Option<TaskOrigin>)> {
        Some((self.left.next()?, self.origins.next().flatten()))
    }

    /// The matching members and the rest, each as a group, or `None` if there are none.
    fn sides(self) -> (Option<ErrorGroup>, Option<ErrorGroup>) {
        (self.matched.into_group(self.message.clone()), self.rest.into_group(self.message))
    }
}

impl Drop for ErrorGroup {
    fn drop(&mut self) {
        // A leaf may be a user's own error that holds a group. Dropping it leads here again.
        with_stack(|| {
            let mut left = mem::take(&mut self.0.errors);
            while let Some(error) = left.pop() {
                if let Kind::Group(mut group) = error.0 {
                    left.append(&mut group.0.errors);
                }
            }
        });
    }
}

/// Writes the tree with one line for each error, indented (up to a hundred levels). A group of one is written as its
/// only error.
impl fmt::Display for ErrorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_group(&self.0, f, false)
    }
}

/// Writes the same as `Display`, and the causes of each error.
impl fmt::Debug for ErrorGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cancelled = || self.0.cancelled().filter(|_| self.0.content() == Content::Cancelled).cloned();
        opaque::answer(f, cancelled).unwrap_or_else(|| write_group(&self.0, f, true))
    }
}

impl StdError for ErrorGroup {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.0)
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Code of others that writes the causes of a group shows this line.
impl fmt::Display for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for Members {}
