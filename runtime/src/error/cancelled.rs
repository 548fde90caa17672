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
    /// Ctrl-C was pressed: of a [`Cancelled`] that [is the Ctrl-C](Cancelled::is_interrupt), which belongs to no scope; or of
    /// the cancellation of a nursery at whose end it found the main task. See [`crate::signal`].
    CtrlC,
}

/// Why a scope was cancelled: the source, a text, the task that asked. The first reason is kept.
#[derive(Debug, Clone)]
pub struct CancelReason {
    source: CancelSource,
    text: Option<String>,
    task: Option<String>,
    /// Whether it is of the Ctrl-C itself.
    is_interrupt: bool,
}

impl CancelReason {
    pub(crate) fn new(source: CancelSource) -> Self {
        CancelReason { source, text: None, task: None, is_interrupt: false }
    }

    pub(crate) fn with_text(source: CancelSource, text: impl Into<String>) -> Self {
        CancelReason { text: Some(text.into()), ..CancelReason::new(source) }
    }

    /// With the name of the task that asked, or has failed.
    pub(crate) fn by(self, task: Option<String>) -> Self {
        CancelReason { task, ..self }
    }

    /// What asked for the cancellation.
    pub fn source(&self) -> CancelSource {
        self.source
    }

    /// The text given with it, if any.
    ///
    /// A nursery that cancelled itself says who failed and with what: of a group with its first error and how
    /// many more there are, of a long text with its beginning. If the error panics when it is displayed,
    /// who failed is all that the nursery says; the error itself comes out of it as any other.
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// The name of the task that asked, if a task did; of a nursery that cancelled itself, that of the task that has failed,
    /// and for its body that of the task around it. And where it was started, if it was given no name.
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
            CancelSource::CtrlC => "interrupted by Ctrl-C",
        })?;
        // A nursery's text begins with who has failed.
        if let Some(task) = self.task.as_ref().filter(|_| self.source != CancelSource::Nursery) {
            write!(f, ", by task {task}")?;
        }
        if let Some(text) = &self.text {
            write!(f, ": {text}")?;
        }
        Ok(())
    }
}

/// The error of every checkpoint in a scope that is cancelled and that no shield hides; trio's `Cancelled`.
///
/// Only the runtime makes it. Let it travel (`?`) to the scope that was cancelled, which swallows
/// it; code that must clean up does so in a shielded scope on the way.
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

/// Stands at the end of the source chain, so that a wrapper which forwards `source` instead of
/// returning the error it wraps still shows that a cancellation is inside.
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

    /// Why: the reason of the scope that was cancelled first.
    pub fn reason(&self) -> &CancelReason {
        &self.mark.0
    }

    /// Looks for a cancellation in an error of any kind: the error itself, what an `io::Error`
    /// holds, and all that `source` leads to; or what an error without a source wraps, if its `Debug` is derived.
    /// What an [`Error`](crate::Error) that carries one is taken for.
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
