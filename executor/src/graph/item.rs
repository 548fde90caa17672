//! Items: a key, and a value or the error that took its place.

use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

/// The error type of a work's function: any error that may travel between threads.
///
/// `?` turns every ordinary error into it, and `"text".into()` makes one from text.
pub type BoxError = Box<dyn Error + Send + Sync + 'static>;

/// What a queue holds: the key of an item, and its value or the error that took its place.
pub type Item<T> = (Key, Result<T, ItemError>);

/// The name of an item: an image's file name, a couple's name, a number.
///
/// A key stays the same on the item's whole way through a topology. It is cheap to clone.
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

/// Why an item has no value any more: the work that failed, the key it failed on, and the cause.
///
/// The error travels in the item's place, untouched, to the end of the topology. It is shared and
/// not copied: an image that cannot be read may be missed by two couples.
#[derive(Clone)]
pub struct ItemError(Arc<Inner>);

struct Inner {
    work: Arc<str>,
    key: Key,
    cause: Cause,
    /// Has it reached an end, where it is counted? What takes items out of queues may drop it before.
    told: AtomicBool,
}

enum Cause {
    Error(BoxError),
    Panic(String),
}

impl ItemError {
    /// The error of a work on an item. The executor makes one of each error that a function returns; a global work that
    /// finds an item missing makes its own, and pushes it in the item's place.
    pub fn new(work: impl Into<Arc<str>>, key: &Key, cause: impl Into<BoxError>) -> Self {
        ItemError::of(work.into(), key, Cause::Error(cause.into()))
    }

    pub(crate) fn from_panic(work: &Arc<str>, key: &Key, payload: &(dyn std::any::Any + Send)) -> Self {
        ItemError::of(work.clone(), key, Cause::Panic(panic_text(payload)))
    }

    fn of(work: Arc<str>, key: &Key, cause: Cause) -> Self {
        let (key, told) = (key.clone(), AtomicBool::new(false));
        ItemError(Arc::new(Inner { work, key, cause, told }))
    }

    /// It is counted; and so are errors that it was made of, as where a work returns the error of an item.
    pub(crate) fn mark_told(&self) {
        self.0.told.store(true, Relaxed);
        let Cause::Error(cause) = &self.0.cause else { return };
        let mut cause: Option<&(dyn Error + 'static)> = Some(&**cause);
        while let Some(error) = cause {
            if let Some(item) = error.downcast_ref::<ItemError>() {
                item.mark_told();
            }
            cause = error.source();
        }
    }

    pub(crate) fn is_told(&self) -> bool {
        self.0.told.load(Relaxed)
    }

    /// The name of the work that failed.
    pub fn work(&self) -> &str {
        &self.0.work
    }

    /// The key on which the work failed. It differs from the key of the item that carries the error
    /// when the item was joined from others.
    pub fn key(&self) -> &Key {
        &self.0.key
    }

    /// Did the work panic, rather than return an error?
    pub fn is_panic(&self) -> bool {
        matches!(self.0.cause, Cause::Panic(_))
    }

    /// What went wrong, and the causes of that, each as text: the work's own error first.
    pub fn causes(&self) -> Vec<String> {
        match &self.0.cause {
            Cause::Panic(text) => vec![text.clone()],
            Cause::Error(error) => {
                let mut causes = vec![error.to_string()];
                let mut source = error.source();
                while let Some(error) = source {
                    causes.push(error.to_string());
                    source = error.source();
                }
                causes
            }
        }
    }

    /// The error that the work returned, if it is of type `E`.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        match &self.0.cause {
            Cause::Error(error) => error.downcast_ref(),
            Cause::Panic(_) => None,
        }
    }
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { work, key, cause, .. } = &*self.0;
        match cause {
            Cause::Error(error) => {
                write!(f, "work `{work}` failed on `{key}`: {error}")?;
                // The chain belongs to one line: it is what a log or a terminal shows. Some errors tell
                // their cause themselves.
                let mut told = error.to_string();
                let mut source = error.source();
                while let Some(error) = source {
                    let text = error.to_string();
                    if !told.ends_with(&text) {
                        write!(f, ": {text}")?;
                        told = text;
                    }
                    source = error.source();
                }
                Ok(())
            }
            Cause::Panic(text) => write!(f, "work `{work}` panicked on `{key}`: {text}"),
        }
    }
}

impl fmt::Debug for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ItemError({self})")
    }
}

// The whole chain is in the message, so `source` would only make readers print it twice.
impl Error for ItemError {}

/// The text of a panic: what `panic!` was given, as far as it is text.
pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without text".to_owned()
    }
}
