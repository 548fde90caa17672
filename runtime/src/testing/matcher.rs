//! What a test expects of an error: its type, its text, and the members of a group.

use crate::Error;
use std::{any::type_name, error::Error as StdError, fmt};

type Check = Box<dyn Fn(&Error) -> bool>;

enum MatcherKind {
    /// Any error that is not a group.
    Leaf(Option<&'static str>, Check),
    /// A group with these members, in any order.
    Group(Vec<Matcher>),
}

/// Describes an expected error; trio's `RaisesGroup` and `Matcher`.
///
/// A group is matched member by member, in any order. Each expectation needs its own member, and no member may
/// be left. A group of one does not match as its member, unless the matcher is [flattened](Matcher::flattened).
///
/// ```
/// use std::io;
/// use terzetto::{Error, ErrorGroup, testing::Matcher};
/// let inner = ErrorGroup::new("inner", vec![io::Error::from(io::ErrorKind::NotFound).into()]);
/// let error = Error::from(ErrorGroup::new("all", vec![Error::msg("disk full"), inner.into()]));
/// let expected = Matcher::group([
///     Matcher::group([Matcher::of_where(|error: &io::Error| error.kind() == io::ErrorKind::NotFound)]),
///     Matcher::any().text("disk full"),
/// ]);
/// expected.matches(&error)?;
/// let mismatch = Matcher::of::<io::Error>().matches(&error).unwrap_err();
/// assert!(mismatch.to_string().contains("is a group"));
/// # Ok::<(), terzetto::testing::Mismatch>(())
/// ```
pub struct Matcher {
    kind: MatcherKind,
    texts: Vec<String>,
    checks: Vec<Check>,
    flattens: bool,
}

/// Describes an error that does not match the expectation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch(String);

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Mismatch {}

impl Matcher {
    fn of_kind(kind: MatcherKind) -> Matcher {
        Matcher { kind, texts: Vec::new(), checks: Vec::new(), flattens: false }
    }

    /// Any error but a group.
    pub fn any() -> Matcher {
        Matcher::of_kind(MatcherKind::Leaf(None, Box::new(|_| true)))
    }

    /// A cancellation.
    pub fn cancelled() -> Matcher {
        Matcher::of_kind(MatcherKind::Leaf(Some("a cancellation"), Box::new(Error::is_cancelled)))
    }

    /// A group of errors. Each matches one of these matchers, in any order.
    pub fn group(members: impl IntoIterator<Item = Matcher>) -> Matcher {
        Matcher::of_kind(MatcherKind::Group(members.into_iter().collect()))
    }

    /// An error that was made from an `E`.
    pub fn of<E: StdError + 'static>() -> Matcher {
        let is = |error: &Error| error.downcast_ref::<E>().is_some();
        Matcher::of_kind(MatcherKind::Leaf(Some(type_name::<E>()), Box::new(is)))
    }

    /// An error that was made from an `E`, if `is_true` returns true for it.
    pub fn of_where<E: StdError + 'static>(is_true: impl Fn(&E) -> bool + 'static) -> Matcher {
        Matcher::of::<E>().check(move |error| error.downcast_ref().is_some_and(&is_true))
    }

    /// Looks through groups inside the group, as if their members were its own; `flatten_subgroups` in trio.
    #[must_use]
    pub fn flattened(mut self) -> Matcher {
        self.flattens = true;
        self
    }

    /// Expects also that the error's text contains this one. The text of a group is its message.
    #[must_use]
    pub fn text(mut self, part: impl Into<String>) -> Matcher {
        self.texts.push(part.into());
        self
    }

    /// Expects also that this predicate is true for the error.
    #[must_use]
    pub fn check(mut self, check: impl Fn(&Error) -> bool + 'static) -> Matcher {
        self.checks.push(Box::new(check));
        self
    }

    /// Checks whether an error is as expected.
    ///
    /// # Errors
    /// A [`Mismatch`] that says what differs.
    pub fn matches(&self, error: &Error) -> Result<(), Mismatch> {
        match &self.kind {
            MatcherKind::Leaf(expected, is) => {
                let expected = expected.unwrap_or("an error");
                if let Some(group) = error.group() {
                    let text =
                        format!("expected {expected}; it is a group of {}:\n{error}", group.errors().len());
                    return Err(Mismatch(text));
                }
                if !is(error) {
                    return Err(Mismatch(format!("expected {expected}; it is {:?}", error.to_string())));
                }
                self.matches_text(&error.to_string())?;
            }
            MatcherKind::Group(members) => {
                let Some(group) = error.group() else {
                    let text =
                        format!("expected a group of {}; it is {:?}", members.len(), error.to_string());
                    return Err(Mismatch(text));
                };
                let errors: Vec<&Error> = match self.flattens {
                    true => group.leaves().collect(),
                    false => group.errors().iter().collect(),
                };
                pair(members, &errors)?;
                self.matches_text(group.message())?;
            }
        }
        match self.checks.iter().all(|check| check(error)) {
            true => Ok(()),
            false => Err(Mismatch(format!("a check does not hold for {:?}", error.to_string()))),
        }
    }

    fn matches_text(&self, text: &str) -> Result<(), Mismatch> {
        match self.texts.iter().find(|part| !text.contains(part.as_str())) {
            Some(missing) => Err(Mismatch(format!("expected {missing:?} in its text, which is {text:?}"))),
            None => Ok(()),
        }
    }
}

/// Finds a separate member for each expectation, so that no member is left.
fn pair(expected: &[Matcher], errors: &[&Error]) -> Result<(), Mismatch> {
    let mut of_error: Vec<Option<usize>> = vec![None; errors.len()];
    for (index, matcher) in expected.iter().enumerate() {
        if !assign(index, expected, errors, &mut of_error, &mut vec![false; errors.len()]) {
            let reasons = errors.iter().filter_map(|error| matcher.matches(error).err());
            let reasons: String = reasons.map(|reason| format!("\n- {reason}")).collect();
            let text = format!("no member of the group is left for expectation {index}:{reasons}");
            return Err(Mismatch(text));
        }
    }
    let left = of_error.iter().zip(errors).filter(|(by, _)| by.is_none());
    let left: String = left.map(|(_, error)| format!("\n- {error}")).collect();
    match left.is_empty() {
        true => Ok(()),
        false => Err(Mismatch(format!("nobody expects these members of the group:{left}"))),
    }
}

/// Assigns a member to an expectation. It may move other expectations to other members that match them as well
/// (augmenting paths, Kuhn 1955).
fn assign(
    index: usize,
    expected: &[Matcher],
    errors: &[&Error],
    of_error: &mut [Option<usize>],
    tried: &mut [bool],
) -> bool {
    for place in 0..errors.len() {
        if tried[place] || expected[index].matches(errors[place]).is_err() {
            continue;
        }
        tried[place] = true;
        if of_error[place].is_none_or(|other| assign(other, expected, errors, of_error, tried)) {
            of_error[place] = Some(index);
            return true;
        }
    }
    false
}

impl fmt::Debug for Matcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            MatcherKind::Leaf(expected, _) => {
                f.debug_tuple("Matcher").field(&expected.unwrap_or("any")).finish()
            }
            MatcherKind::Group(members) => f.debug_tuple("Matcher").field(members).finish(),
        }
    }
}
