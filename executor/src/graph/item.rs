//! Items: a key, and a value or the error in its place.

use std::{error::Error, fmt, sync::Arc};

use super::ItemError;

/// The error type of a work's function: any error that threads can share.
///
/// `?` turns an error of a type that is `Send`, `Sync` and `'static` into it. `"text".into()` makes one from text.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// What a queue holds: the key of an item, and its value or the error in its place.
pub type Item<T> = (Key, Result<T, ItemError>);

/// The name of an item: an image's file name, a couple's name, a number.
///
/// An item keeps its key on its whole way through the graph. A key is cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<str>);

impl Key {
    /// Makes a key from text.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Key(name.into())
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

impl From<&str> for Key {
    fn from(name: &str) -> Self {
        Key::new(name)
    }
}

impl From<String> for Key {
    fn from(name: String) -> Self {
        Key::new(name)
    }
}
