//! `Cancelled`: the error that a checkpoint returns in a cancelled scope.

use crate::error::{inside, inside::Inside, opaque};
use std::{error::Error as StdError, fmt, sync::Arc};

/// What asked for a cancellation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CancelSource {
    /// [`CancelScope::cancel`](crate::CancelScope::cancel) was called.
    Explicit,
    /// A deadline passed.
    Deadline,
    /// A nursery cancelled itself, because its body or a child failed.
    Nursery,
    /// The run is ending.
    Shutdown,
    /// The run is [deadlocked](crate::Deadlock).
    Deadlock,
    /// Ctrl-C was pressed. Two cancellations have this source. One is a [`Cancelled`] that [is the
    /// Ctrl-C](Cancelled::is_interrupt), and belongs to no scope. The other is that of a nursery, if Ctrl-C came
    /// while the main task waited at the nursery's end. See [`crate::signal`].
    CtrlC,
}

/// Why a scope was cancelled: the source, a text, and the task that asked for it. A scope keeps its first reason.
#[derive(Debug, Clone)]
pub struct CancelReason {
    source: CancelSource,
    text: Option<String>,
    task: Option<String>,
    /// Whether this is the reason of the Ctrl-C itself.
    is_interrupt: bool,
}

impl CancelReason {
    pub(crate) fn new(source: CancelSource) -> Self {
        CancelReason { source, text: None, task: None, is_interrupt: false }
    }

    pub(crate) fn with_text(source: CancelSource, text: impl Into<String>) -> Self {
        CancelReason { text: Some(text.into()), ..CancelReason::new(source) }
    }

    /// Adds the name of the task that asked for the cancellation, or that has failed.
    pub(crate) fn by(self, task: Option<String>) -> Self {
        CancelReason { task, ..self }
    }

    /// What asked for the cancellation.
    pub fn source(&self) -> CancelSource {
        self.source
    }

    /// The text that was given with the cancellation, if any.
    ///
    /// If a nursery cancelled itself, the text says which task failed and with which error. For a group it has the
    /// first error and the number of the others. Of a long text it has the beginning. If the error panics when it is
    /// displayed, the text says only which task failed. The nursery still returns the error itself, as any other.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The name of the task that asked for the cancellation, if it was a task. If a nursery cancelled itself, this is
    /// the name of the task that failed, or, if its body failed, of the task that runs the body. If the task was
    /// given no name, the place where it was started is added.
    pub fn task(&self) -> Option<&str> {
        self.task.as_deref()
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.source {
            CancelSource::CtrlC if !self.is_interrupt => "cancelled because of Ctrl-C",
            CancelSource::Explicit => "cancelled on request",
            CancelSource::Deadline => "cancelled by a deadline",
            CancelSource::Nursery => "cancelled by its nursery",
            CancelSource::Shutdown => "cancelled because the run is ending",
            CancelSource::Deadlock => "cancelled because of a deadlock",
            CancelSource::CtrlC => "interrupted by Ctrl-C",
        })?;
        // A nursery's text begins with the task that has failed.
        if let Some(task) = self.task.as_ref().filter(|_| self.source != CancelSource::Nursery) {
            write!(f, ", by task {task}")?;
        }
        if let Some(text) = &self.text {
            write!(f, ": {text}")?;
        }
        Ok(())
    }
}

/// The error of every checkpoint in a cancelled scope, unless a shield is in between; trio's `Cancelled`.
///
/// Only the runtime creates this error. Pass it on (`?`) to the scope that was cancelled, which swallows it. If code
/// has to await something to clean up, it does so in a shielded scope before it passes the error on.
///
/// ```
/// # use terzetto::{CancelScope, Error, sleep};
/// # terzetto::run(async {
/// let scope = CancelScope::new();
/// scope.cancel_with_reason("tea is ready");
/// let text = scope.run(async {
///     let cancelled = sleep(1.0).await.unwrap_err();
///     assert_eq!(cancelled.reason().text(), Some("tea is ready"));
///     Ok(cancelled.to_string())
/// }).await?;
/// assert!(text.unwrap().contains("tea is ready"));
/// # Ok::<(), Error>(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Cancelled {
    mark: Mark,
}

/// The last error of the source chain. Some wrappers forward `source` instead of returning the error that they wrap.
/// By this mark they still show that a cancellation is inside.
#[derive(Clone)]
pub(super) struct Mark(Arc<CancelReason>);

impl Mark {
    pub(super) fn cancelled(&self) -> Cancelled {
        Cancelled { mark: self.clone() }
    }
}

impl Cancelled {
    pub(crate) fn new(reason: Arc<CancelReason>) -> Self {
        Cancelled { mark: Mark(reason) }
    }

    /// A Ctrl-C on its way through the main task.
    pub(crate) fn interrupt() -> Self {
        Cancelled::new(Arc::new(CancelReason {
            is_interrupt: true,
            ..CancelReason::new(CancelSource::CtrlC)
        }))
    }

    /// Whether this is a Ctrl-C: no scope swallows it. See [`crate::signal`].
    pub fn is_interrupt(&self) -> bool {
        self.reason().is_interrupt
    }

    /// The reason for the cancellation: that of the scope that was cancelled first.
    pub fn reason(&self) -> &CancelReason {
        &self.mark.0
    }

    /// Looks for a cancellation in an error of any kind. It looks at the error itself, at the error that an
    /// `io::Error` holds, and at all errors that `source` leads to. If an error has no source and its `Debug` is
    /// derived, it looks at the error that this wraps. An [`Error`](crate::Error) that was made from `error` counts
    /// as the cancellation found here.
    ///
    /// ```
    /// # use terzetto::{CancelScope, Cancelled, Error, checkpoint};
    /// # terzetto::run(async {
    /// let scope = CancelScope::new();
    /// scope.cancel();
    /// scope.run(async {
    ///     let hidden = std::io::Error::other(checkpoint().await.unwrap_err());
    ///     assert!(Cancelled::find_in(&hidden).is_some());
    ///     Ok(())
    /// }).await
    /// # }).unwrap();
    /// ```
    pub fn find_in(error: &(dyn StdError + 'static)) -> Option<Cancelled> {
        match inside::look(error) {
            Inside::Cancelled(cancelled) => Some(cancelled),
            Inside::Nothing | Inside::MixedGroup => None,
        }
    }
}

impl fmt::Debug for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |f: &mut fmt::Formatter<'_>| f.debug_tuple("Cancelled").field(self.reason()).finish();
        opaque::answer(f, || Some(self.clone())).unwrap_or_else(|| plain(f))
    }
}

impl fmt::Display for Cancelled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason().fmt(f)
    }
}

impl StdError for Cancelled {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&self.mark)
    }
}

impl fmt::Debug for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancellation")
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cancellation")
    }
}

impl StdError for Mark {}
