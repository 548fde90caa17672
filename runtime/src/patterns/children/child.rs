//! A child whose value can be awaited.

use crate::{
    Cancelled, Error, Nursery, Task, lowlevel::checkpoint_if_cancelled, patterns::name_of, sync::Event,
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    error::Error as StdError,
    fmt,
    rc::Rc,
};

/// A task of a nursery that returns a value; made by [`Nursery::start_for_result`]. tokio's `JoinHandle`, anyio's
/// `TaskHandle`.
///
/// A handle that is dropped changes nothing: the task goes on, and its value is dropped. To cancel one task, run its
/// future in a [`CancelScope`](crate::CancelScope).
pub struct Child<T> {
    end: Rc<End<T>>,
    task: Task,
}

/// How a child has ended.
struct End<T> {
    ended: Event,
    has_value: Cell<bool>,
    value: RefCell<Option<T>>,
}

/// Says that the child has ended, in whatever way.
struct EndOnDrop<T>(Rc<End<T>>);

impl<T> Drop for EndOnDrop<T> {
    fn drop(&mut self) {
        self.0.ended.set();
    }
}

/// Why a child's handle gave no value.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ResultError {
    /// The task that asked was cancelled first. The value can be asked for again.
    Cancelled(Cancelled),
    /// The child has ended without a value: it has failed, was cancelled, or was dropped. The error itself is its
    /// nursery's to return.
    NoValue,
    /// The value was taken before.
    Taken,
}

impl fmt::Display for ResultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResultError::Cancelled(cancelled) => cancelled.fmt(f),
            ResultError::NoValue => f.write_str(
                "the child has ended without a value: if it has failed, its nursery returns the error",
            ),
            ResultError::Taken => f.write_str("the child's value was taken before"),
        }
    }
}

impl StdError for ResultError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match self {
            ResultError::Cancelled(cancelled) => Some(cancelled),
            _ => None,
        }
    }
}

impl<'scope> Nursery<'scope, '_> {
    /// As [`Nursery::start_soon`], for a task that returns a value. The value can be awaited inside the nursery, and
    /// taken after its end.
    ///
    /// If the task fails, the nursery's scope is cancelled, and the nursery returns the error. So whoever awaits the
    /// value inside the nursery is cancelled.
    ///
    /// # Cancellation
    /// Not a checkpoint.
    ///
    /// # Panics
    /// If the nursery has closed.
    ///
    /// ```
    /// use terzetto::{nursery, sleep};
    /// terzetto::run(async {
    ///     let words = vec!["one", "two", "three"];
    ///     let total = nursery(async |n| {
    ///         let slow = n.start_for_result(async { sleep(0.01).await?; Ok(words[0].len()) });
    ///         let fast = n.start_for_result(async { Ok(words[2].len()) });
    ///         Ok(slow.result().await? + fast.result().await?)
    ///     }).await?;
    ///     assert_eq!(total, 8);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    #[doc(alias = "spawn")]
    #[doc(alias = "create_task")]
    #[track_caller]
    pub fn start_for_result<T, F>(&'scope self, child: F) -> Child<T>
    where
        T: 'scope,
        F: Future<Output = Result<T, Error>> + 'scope,
    {
        self.start_for_result_named(name_of(&child), child)
    }

    /// As [`Nursery::start_for_result`], with a name for the task.
    ///
    /// # Panics
    /// If the nursery has closed.
    #[track_caller]
    pub fn start_for_result_named<T, F>(
        &'scope self,
        name: impl Into<Cow<'static, str>>,
        child: F,
    ) -> Child<T>
    where
        T: 'scope,
        F: Future<Output = Result<T, Error>> + 'scope,
    {
        let end =
            Rc::new(End { ended: Event::new(), has_value: Cell::new(false), value: RefCell::new(None) });
        let guard = EndOnDrop(end.clone());
        let task = self.start_soon_named(name, async move {
            let guard = guard;
            let value = child.await?;
            guard.0.value.replace(Some(value));
            guard.0.has_value.set(true);
            Ok(())
        });
        Child { end, task }
    }
}

impl<T> Child<T> {
    /// Waits for the end of the task, and takes its value.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled or dropped, nothing is lost: the value can still be taken.
    ///
    /// # Errors
    /// A [`ResultError`]. The error of a task that failed is not here, but comes out of its nursery.
    ///
    /// ```
    /// # terzetto::run(async {
    /// let child = terzetto::nursery(async |n| Ok(n.start_for_result(async { Ok(6 * 7) }))).await?;
    /// assert_eq!(child.result().await?, 42);
    /// # Ok(())
    /// # }).unwrap();
    /// ```
    pub async fn result(&self) -> Result<T, ResultError> {
        self.end.ended.wait().await.map_err(ResultError::Cancelled)?;
        if !self.end.has_value.get() {
            // A child that has failed has cancelled its nursery. Whoever is inside is told of that, and has no error of
            // its own.
            checkpoint_if_cancelled().await.map_err(ResultError::Cancelled)?;
        }
        self.take()
    }

    /// Waits for the end of the task, and leaves its value where it is.
    ///
    /// # Cancellation
    /// A checkpoint.
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled scope. That the task has failed is no error here.
    pub async fn wait_ended(&self) -> Result<(), Cancelled> {
        self.end.ended.wait().await
    }

    /// Takes the value, if the task has ended well; `None` while it has not ended.
    ///
    /// # Errors
    /// [`ResultError::NoValue`] or [`ResultError::Taken`].
    pub fn result_nowait(&self) -> Result<Option<T>, ResultError> {
        match self.has_ended() {
            true => self.take().map(Some),
            false => Ok(None),
        }
    }

    fn take(&self) -> Result<T, ResultError> {
        match self.end.has_value.get() {
            true => self.end.value.take().ok_or(ResultError::Taken),
            false => Err(ResultError::NoValue),
        }
    }

    /// Whether the task has ended, with a value or without one.
    pub fn has_ended(&self) -> bool {
        self.end.ended.is_set()
    }

    /// The task, for messages.
    pub fn task(&self) -> &Task {
        &self.task
    }
}

impl<T> fmt::Debug for Child<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child").field("task", &self.task).field("ended", &self.has_ended()).finish()
    }
}
