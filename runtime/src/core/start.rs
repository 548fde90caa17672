//! `Nursery::start`: a task that says when it is ready, and the caller waits for that word.
//!
//! A server that has bound its socket, a process that has been launched: between the start of such
//! a task and its readiness whoever asked for it must be able to fail with it, and to cancel it.
//! So until [`TaskStatus::started`] is called the task lives under the caller's scopes, and its
//! failure is the caller's; from then on it is a child of the nursery like any other.
//!
//! The child sits in its nursery from the first moment (which therefore stays open), below a scope
//! of its own that hangs at first under the caller's current scope. `started` hangs that scope under
//! the nursery's. What was cancelled there becomes visible by the move, to the child and to all that
//! it has started meanwhile.

use super::{
    context::Context as TaskContext,
    lot::Lot,
    nursery::Nursery,
    run::Run,
    scope::ScopeId,
    strand::{End, Strand},
    task::{InFull, Task, TaskInfo, function_name},
    wrap,
};
use crate::{Error, NurseryClosed, scope::ScopeCell};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    error::Error as StdError,
    fmt,
    future::poll_fn,
    panic::{Location, resume_unwind},
    pin::pin,
    rc::{Rc, Weak},
};

/// How a task ended: with an outcome or a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Under the scopes of who called `start`.
    Starting,
    /// A child like any other.
    Moved,
    Ended,
}

/// A start under way: shared by the child, its status and the call of `start`.
pub(crate) struct Pending {
    /// A handle of the task, which leads here, must not keep the run.
    run: Weak<Run>,
    /// The child's own scope, moved from the caller to the nursery.
    scope: ScopeId,
    nursery_scope: ScopeId,
    stage: Cell<Stage>,
    /// The end of the child, if it came before it was moved.
    end: RefCell<Option<End>>,
    /// The caller of `start`.
    caller: Rc<Lot<()>>,
}

impl Pending {
    pub(super) fn scope(&self) -> ScopeId {
        self.scope
    }

    fn exit_scope(&self) {
        if let Some(run) = self.run.upgrade() {
            run.exit_scope(self.scope);
        }
    }

    fn settle(&self, stage: Stage) {
        self.stage.set(stage);
        self.caller.unpark_all(|()| ());
    }

    /// Takes the child's end, or gives it back if that is the nursery's affair.
    pub(crate) fn child_ended(&self, end: End) -> Option<End> {
        self.exit_scope();
        let before = self.stage.get();
        if before == Stage::Moved {
            return Some(end);
        }
        *self.end.borrow_mut() = Some(end);
        self.settle(Stage::Ended);
        None
    }

    /// The child was dropped with its nursery.
    pub(crate) fn child_dropped(&self) {
        if self.stage.replace(Stage::Ended) != Stage::Ended {
            self.exit_scope();
        }
    }

    fn started(&self) {
        let Some(run) = self.run.upgrade() else { return };
        // The caller is being cancelled, and the child with it: it will end soon, here.
        if self.stage.get() != Stage::Starting || run.scopes.is_cancelled(self.scope) {
            return;
        }
        self.settle(Stage::Moved);
        run.move_scope(self.scope, self.nursery_scope);
        run.look_at_scopes_in(self.scope);
    }
}

/// With this a task says that it is ready; trio's `task_status`. Given by [`Nursery::start`].
pub struct TaskStatus<T> {
    value: Rc<RefCell<Option<T>>>,
    pending: Option<Rc<Pending>>,
    told: Cell<bool>,
}

impl<T> TaskStatus<T> {
    /// A status that nobody looks at: for calling a function made for [`Nursery::start`] in another
    /// way.
    pub fn ignored() -> TaskStatus<T> {
        TaskStatus { value: Rc::default(), pending: None, told: Cell::new(false) }
    }

    /// Says that the task is ready: `start` returns `value`, and the task goes on as a child of the
    /// nursery. If the caller of `start` is being cancelled, nothing happens: the task goes on under
    /// `start`, and is cancelled with it.
    ///
    /// # Cancellation
    /// Not a checkpoint.
    ///
    /// # Errors
    /// If it was called before, unless the status is one that nobody looks at.
    pub fn started(&self, value: T) -> Result<(), StartedTwice> {
        if self.told.replace(true) && self.pending.is_some() {
            return Err(StartedTwice);
        }
        if let Some(pending) = &self.pending {
            *self.value.borrow_mut() = Some(value);
            pending.started();
        }
        Ok(())
    }
}

impl<T> fmt::Debug for TaskStatus<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskStatus").field("started", &self.told.get()).finish()
    }
}

/// `started` was called twice on the same status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StartedTwice;

impl fmt::Display for StartedTwice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`started` was called twice on the same task status")
    }
}

impl StdError for StartedTwice {}

/// A task ended well without having said that it was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeverStarted {
    task: String,
}

impl fmt::Display for NeverStarted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "task {} ended without calling `started` on its task status", self.task)
    }
}

impl StdError for NeverStarted {}

/// Drops the child if the call of `start` is dropped before the child is started.
struct Unmoved<'a, 'scope, 'env> {
    nursery: &'a Nursery<'scope, 'env>,
    pending: Rc<Pending>,
    strand: Strand,
}

impl Drop for Unmoved<'_, '_, '_> {
    fn drop(&mut self) {
        if self.pending.stage.get() == Stage::Starting {
            self.pending.stage.set(Stage::Ended);
            let dropped = self.nursery.abandon(&self.strand);
            // One that is being polled leaves its scope when that poll has ended: see `child_ended`.
            if self.strand.has_ended() {
                self.pending.exit_scope();
            }
            if let Err(payload) = dropped
                && !std::thread::panicking()
            {
                resume_unwind(payload);
            }
        }
    }
}

impl<'scope, 'env> Nursery<'scope, 'env> {
    /// Starts a task and waits until it says that it is ready; returns what it says. trio's `start`.
    ///
    /// Until then the task is under the cancel scopes of the caller; after, under the nursery's. The
    /// nursery stays open meanwhile.
    ///
    /// # Cancellation
    /// A checkpoint. If the caller is cancelled, so is the task, and `start` fails when the task has
    /// ended. If the future is dropped, the task is dropped with it.
    ///
    /// # Errors
    /// The task's own error if it fails before it is ready (the nursery is then not cancelled);
    /// [`NeverStarted`] if it ends without being ready; [`NurseryClosed`] at once.
    ///
    /// # Panics
    /// If the task panics before it is ready.
    ///
    /// ```
    /// use terzetto::{Error, TaskStatus, nursery, sleep, sleep_forever};
    /// async fn serve(status: TaskStatus<u16>) -> Result<(), Error> {
    ///     sleep(0.001).await?; // bind the socket
    ///     status.started(8080)?;
    ///     sleep_forever().await?;
    ///     Ok(())
    /// }
    /// terzetto::run(async {
    ///     nursery(async |n| {
    ///         let port = n.start(serve).await?;
    ///         assert_eq!(port, 8080);
    ///         n.cancel_scope().cancel();
    ///         Ok(())
    ///     }).await
    /// })?;
    /// # Ok::<(), Error>(())
    /// ```
    #[track_caller]
    pub fn start<T, F>(&'scope self, child: F) -> impl Future<Output = Result<T, Error>>
    where
        T: 'scope,
        F: AsyncFnOnce(TaskStatus<T>) -> Result<(), Error> + 'scope,
    {
        self.start_at(function_name(std::any::type_name::<F>()).into(), Location::caller(), child)
    }

    /// As [`Nursery::start`], with a name for the task.
    ///
    /// # Errors
    /// As [`Nursery::start`].
    #[track_caller]
    pub fn start_named<T, F>(
        &'scope self,
        name: impl Into<Cow<'static, str>>,
        child: F,
    ) -> impl Future<Output = Result<T, Error>>
    where
        T: 'scope,
        F: AsyncFnOnce(TaskStatus<T>) -> Result<(), Error> + 'scope,
    {
        self.start_at(name.into(), Location::caller(), child)
    }

    #[allow(clippy::manual_async_fn, reason = "an `async fn` would hold its argument twice: see `wrap`")]
    fn start_at<T, F>(
        &'scope self,
        name: Cow<'static, str>,
        caller: &'static Location<'static>,
        child: F,
    ) -> impl Future<Output = Result<T, Error>>
    where
        T: 'scope,
        F: AsyncFnOnce(TaskStatus<T>) -> Result<(), Error> + 'scope,
    {
        async move {
            if self.is_closed() {
                return Err(NurseryClosed.into());
            }
            let run = self.run.clone();
            let scope = run.scopes.enter(ScopeCell::new(), None);
            let pending = Rc::new(Pending {
                run: Rc::downgrade(&run),
                scope,
                nursery_scope: self.scope_id,
                stage: Cell::new(Stage::Starting),
                end: RefCell::new(None),
                caller: Lot::new("waiting for a task to be started"),
            });
            let value = Rc::new(RefCell::new(None));
            let status =
                TaskStatus { value: value.clone(), pending: Some(pending.clone()), told: Cell::new(false) };
            let info = TaskInfo::new(run.strands.number(), Some(caller), TaskContext::current_in(&run));
            let info = info.named(name).with_pending(pending.clone());
            let strand = self.start_child(info, wrap::lazy(move || child(status)))?;
            let unmoved = Unmoved { nursery: self, pending, strand };
            let pending = &unmoved.pending;
            let mut settled = pin!(async {
                // Not to be aborted, as the end of a nursery is not: cancellation reaches the child.
                while pending.stage.get() == Stage::Starting {
                    pending.caller.park_unabortable(()).await;
                }
            });
            poll_fn(|cx| {
                // Where the caller has been moved to, the child is, too.
                if pending.stage.get() == Stage::Starting {
                    run.follow(scope);
                }
                settled.as_mut().poll(cx)
            })
            .await;
            let task = || InFull(&Task::of(&unmoved.strand)).to_string();
            if pending.stage.get() == Stage::Moved {
                return value.take().ok_or_else(|| NeverStarted { task: task() }.into());
            }
            let end = pending.end.take();
            match end {
                Some(Err(payload)) => resume_unwind(payload),
                Some(Ok(Err(error))) => Err(error),
                _ => match value.take() {
                    Some(value) => Ok(value),
                    None => Err(NeverStarted { task: task() }.into()),
                },
            }
        }
    }
}
