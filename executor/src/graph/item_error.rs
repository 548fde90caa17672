//! The error of an item.

use std::{
    error::Error,
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
};

use super::{BoxError, Key};

/// Why an item has no value: the work that failed, the key on which it failed, and the cause.
///
/// The error takes the item's place. Later works pass it on unchanged, to the end of the graph. Clones share
/// one error: an image that cannot be read may belong to two couples.
#[derive(Clone)]
pub struct ItemError(Arc<ItemErrorInner>);

struct ItemErrorInner {
    work: Arc<str>,
    key: Key,
    cause: Cause,
    /// Has the error reached the end of the graph, where it is counted? A global work may drop it before.
    counted: AtomicBool,
}

enum Cause {
    Error(BoxError),
    Panic(String),
}

impl ItemError {
    /// The error of a work on an item.
    ///
    /// The executor makes one from each error that a function returns. A global work that finds an item
    /// missing can make its own and push it in the item's place.
    pub fn new(work: impl Into<Arc<str>>, key: &Key, cause: impl Into<BoxError>) -> Self {
        ItemError::of(work.into(), key, Cause::Error(cause.into()))
    }

    pub(crate) fn from_panic(work: &Arc<str>, key: &Key, payload: &(dyn std::any::Any + Send)) -> Self {
        ItemError::of(work.clone(), key, Cause::Panic(panic_text(payload)))
    }

    fn of(work: Arc<str>, key: &Key, cause: Cause) -> Self {
        let (key, counted) = (key.clone(), AtomicBool::new(false));
        ItemError(Arc::new(ItemErrorInner { work, key, cause, counted }))
    }

    /// Marks the error as counted, and also the item errors among its causes: a work may return the error of
    /// an item as its own.
    pub(crate) fn mark_counted(&self) {
        self.0.counted.store(true, Relaxed);
        let Cause::Error(cause) = &self.0.cause else { return };
        let mut cause: Option<&(dyn Error + 'static)> = Some(&**cause);
        while let Some(error) = cause {
            if let Some(item) = error.downcast_ref::<ItemError>() {
                item.mark_counted();
            }
            cause = error.source();
        }
    }

    pub(crate) fn is_counted(&self) -> bool {
        self.0.counted.load(Relaxed)
    }

    /// The name of the work that failed.
    pub fn work(&self) -> &str {
        &self.0.work
    }

    /// The key on which the work failed. If the item was joined from others, this is the key of one of them,
    /// and not the key of the item that carries the error.
    pub fn key(&self) -> &Key {
        &self.0.key
    }

    /// Did the work panic, rather than return an error?
    pub fn is_panic(&self) -> bool {
        matches!(self.0.cause, Cause::Panic(_))
    }

    /// The work's error and its causes, each as text. The work's own error is the first.
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

    /// Has the work failed because nothing can be written: to a full disk, over a quota, to a file system that can
    /// only be read?
    pub fn is_no_room(&self) -> bool {
        let Cause::Error(cause) = &self.0.cause else { return false };
        let mut cause: Option<&(dyn Error + 'static)> = Some(&**cause);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                use io::ErrorKind::{QuotaExceeded, ReadOnlyFilesystem, StorageFull};
                return matches!(error.kind(), StorageFull | QuotaExceeded | ReadOnlyFilesystem);
            }
            cause = error.source();
        }
        false
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
        let ItemErrorInner { work, key, cause, .. } = &*self.0;
        match cause {
            Cause::Error(error) => {
                write!(f, "work `{work}` failed on `{key}`: {error}")?;
                // A log or a terminal shows one line, so the line has all causes. Some errors already
                // contain the text of their cause; that text is not repeated.
                let mut written = error.to_string();
                let mut source = error.source();
                while let Some(error) = source {
                    let text = error.to_string();
                    if !written.ends_with(&text) {
                        write!(f, ": {text}")?;
                        written = text;
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

// The message has all causes. With `source`, readers would print them twice.
impl Error for ItemError {}

/// The text of a panic, if `panic!` was given text.
pub(crate) fn panic_text(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "a panic without text".to_owned()
    }
}
