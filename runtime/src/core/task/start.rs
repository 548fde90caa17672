//! `Nursery::start`: a task says when it is ready, and the caller waits for that.
//!
//! Examples are a server that has bound its socket, and a process that has been launched. Between the start of such a
//! task and its readiness, the caller must be able to fail with it, and to cancel it. So until the task calls
//! [`TaskStatus::started`], it lives under the caller's scopes, and its failure is the caller's. From then on it is a
//! child of the nursery like any other.
//!
//! The child is in its nursery from the first moment, so the nursery stays open. The child has a scope of its own. At
//! first the parent of that scope is the caller's current scope. `started` moves it under the nursery's scope. If
//! the nursery's scope is cancelled, this move cancels the child, and all tasks that the child has started meanwhile.

use crate::{
    CancelReason, CancelSource, Cancelled, Error, NurseryClosed,
    core::{
        block::wait_queue::WaitQueue,
        cancel::state::ScopeState,
        ids::ScopeId,
        poll_tree::{
            node::{End, Node},
            wrap,
        },
        run::Run,
        task::{
            context_values::TaskContext,
            handle::{InFull, Starter, Task, TaskInfo, function_name},
            nursery::Nursery,
        },
    },
};
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

/// How far a start has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StartStage {
    /// The task is under the scopes of the caller of `start`.
    Starting,
    /// The task is a child like any other.
    Moved,
    Ended,
}

/// A start under way. The child, its status and the call of `start` share it.
pub(crate) struct PendingStart {
    /// A weak reference: a handle of the task leads here, and must not keep the run alive.
    run: Weak<Run>,
    /// The child's own scope. It is moved from the caller to the nursery.
    scope: ScopeId,
    cell: Rc<ScopeState>,
    nursery_scope: ScopeId,
    stage: Cell<StartStage>,
    /// How the child ended, if it ended before it was moved.
    end: RefCell<Option<End>>,
    /// The wait queue in which the caller of `start` is parked.
    caller: Rc<WaitQueue<()>>,
    /// The caller's task, until the child is moved or has ended.
    caller_task: RefCell<Option<Task>>,
}

impl PendingStart {
    /// Leaves the child's scope. Returns whether that may catch the child's cancellations.
    fn exit_scope(&self) -> bool {
        self.run.upgrade().is_some_and(|run| run.exit_scope(self.scope))
    }

    /// What `start` sees of an error of the child. As the scope of a nursery, the child's scope is cancelled by an
    /// error. Then it catches the cancellations that the scopes around do not want: a shield may hide theirs by now.
    fn caught(&self, error: Error) -> Result<(), Error> {
        self.cell.cancel(CancelReason::new(CancelSource::Nursery));
        if !self.exit_scope() {
            return Err(error);
        }
        let (_, rest) = error.without_cancelled();
        rest.map_or(Ok(()), Err)
    }

    fn settle(&self, stage: StartStage) {
        self.stage.set(stage);
        let caller = self.caller_task.take();
        drop(caller);
        self.caller.unpark_all(|()| ());
    }

    fn started(&self) {
        let Some(run) = self.run.upgrade() else { return };
        // If the caller is being cancelled, so is the child. The child stays here, and will end soon.
        if self.stage.get() != StartStage::Starting || run.scopes.is_cancelled(self.scope) {
            return;
        }
        self.settle(StartStage::Moved);
        run.move_scope(self.scope, self.nursery_scope);
        run.look_at_scopes_in(self.scope);
    }
}

impl Starter for PendingStart {
    fn scope(&self) -> ScopeId {
        self.scope
    }

    fn is_unmoved(&self) -> bool {
        self.stage.get() != StartStage::Moved
    }

    fn caller_task(&self) -> Option<Task> {
        self.caller_task.borrow().clone()
    }

    fn child_ended(&self, end: End) -> Option<End> {
        if self.stage.get() == StartStage::Moved {
            self.exit_scope();
            return Some(end);
        }
        let end = end.map(|outcome| outcome.or_else(|error| self.caught(error)));
        self.exit_scope();
        *self.end.borrow_mut() = Some(end);
        self.settle(StartStage::Ended);
        None
    }

    fn child_dropped(&self) {
        let caller = self.caller_task.take();
        drop(caller);
        if self.stage.replace(StartStage::Ended) != StartStage::Ended {
            self.exit_scope();
        }
    }
}

/// With this a task says that it is ready; trio's `task_status`. [`Nursery::start`] gives it to the task.
pub struct TaskStatus<T> {
    value: Rc<RefCell<Option<T>>>,
    pending: Option<Rc<PendingStart>>,
    notified: Cell<bool>,
}

impl<T> TaskStatus<T> {
    /// A status that nobody reads. With it a function that was made for [`Nursery::start`] can be called in another
    /// way.
    pub fn ignored() -> TaskStatus<T> {
        TaskStatus { value: Rc::default(), pending: None, notified: Cell::new(false) }
    }

    /// Says that the task is ready. `start` returns `value`, and the task goes on as a child of the nursery. If the
    /// caller of `start` is being cancelled, nothing happens: the task goes on under `start`, and is cancelled with
    /// it.
    ///
    /// # Cancellation
    /// Not a checkpoint.
    ///
    /// # Errors
    /// If it was called before. A status that nobody reads accepts every call.
    pub fn started(&self, value: T) -> Result<(), StartedTwice> {
        if self.notified.replace(true) && self.pending.is_some() {
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
        f.debug_struct("TaskStatus").field("started", &self.notified.get()).finish()
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

/// A task ended without an error, and without having said that it was started.
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
    pending: Rc<PendingStart>,
    node: Node,
    /// Whether it has taken a Ctrl-C, and has yet to hand it on.
    holds_interrupt: Cell<bool>,
}

impl Unmoved<'_, '_, '_> {
    /// A Ctrl-C finds the main task waiting here: it ends the child, as at the end of a nursery.
    fn interrupted(&self, scope: &ScopeState) -> Option<Cancelled> {
        let run = &self.nursery.run;
        let interrupt = run.take_interrupt()?;
        self.holds_interrupt.set(true);
        run.interrupt.hold(true);
        let task = run.tree.current_task();
        scope.cancel(CancelReason::new(CancelSource::CtrlC).by(task.map(|task| task.to_string())));
        Some(interrupt)
    }
}

impl Drop for Unmoved<'_, '_, '_> {
    fn drop(&mut self) {
        if self.holds_interrupt.get() {
            self.nursery.run.interrupt.hold(false);
        }
        if self.pending.stage.get() == StartStage::Starting {
            self.pending.stage.set(StartStage::Ended);
            let caller = self.pending.caller_task.take();
            drop(caller);
            // SAFETY: the node is a child of the nursery, and this is a part of a future that holds a `&'scope` to
            // the nursery (OWNED).
            let dropped = unsafe { self.nursery.drop_child(&self.node) };
            // If the child is being polled, it leaves its scope when that poll has ended: see `child_ended`.
            if self.node.has_ended() {
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
    /// Starts a task and waits until it says that it is ready. Returns the value that it gives. trio's `start`.
    ///
    /// Until then the task is under the cancel scopes of the caller. After that it is under the nursery's. The
    /// nursery stays open meanwhile.
    ///
    /// # Cancellation
    /// A checkpoint. If the caller is cancelled, so is the task, and `start` fails when the task has ended. It fails,
    /// too, if a Ctrl-C comes while the main task waits here. If the future is dropped, the task is dropped with it.
    ///
    /// # Errors
    /// The task's own error if it fails before it is ready; the nursery is not cancelled then. [`NeverStarted`] if
    /// the task ends without having been ready. [`NurseryClosed`] at once if the nursery has closed.
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
            let cell = ScopeState::new();
            let scope = run.scopes.enter(cell.clone(), None);
            cell.entered_as(run.id, scope);
            let pending = Rc::new(PendingStart {
                run: Rc::downgrade(&run),
                scope,
                cell: cell.clone(),
                nursery_scope: self.scope_id,
                stage: Cell::new(StartStage::Starting),
                end: RefCell::new(None),
                caller: WaitQueue::new("waiting for a task to be started"),
                caller_task: RefCell::new(run.tree.current_task()),
            });
            let value = Rc::new(RefCell::new(None));
            let status = TaskStatus {
                value: value.clone(),
                pending: Some(pending.clone()),
                notified: Cell::new(false),
            };
            let info = TaskInfo::new(run.tree.number(), Some(caller), TaskContext::current_in(&run));
            let info = info.named(name).with_starter(pending.clone());
            let node = self.start_child(info, wrap::lazy(move || child(status)))?;
            let unmoved = Unmoved { nursery: self, pending, node, holds_interrupt: Cell::new(false) };
            let pending = &unmoved.pending;
            let mut settled = pin!(async {
                // Like the end of a nursery, this wait cannot be aborted. A cancellation reaches the child instead.
                while pending.stage.get() == StartStage::Starting {
                    pending.caller.park_unabortable(()).await;
                }
            });
            let mut interrupt = None;
            poll_fn(|cx| {
                // If the caller is now polled in another scope, the child's scope is moved there too.
                if pending.stage.get() == StartStage::Starting {
                    run.follow(scope);
                }
                let polled = settled.as_mut().poll(cx);
                if polled.is_pending() && run.interrupt.is_pending() && interrupt.is_none() {
                    interrupt = unmoved.interrupted(&cell);
                }
                polled
            })
            .await;
            let task = || InFull(&Task::of(&unmoved.node)).to_string();
            if pending.stage.get() == StartStage::Moved {
                return value.take().ok_or_else(|| NeverStarted { task: task() }.into());
            }
            let end = pending.end.take();
            match end {
                Some(Err(payload)) => resume_unwind(payload),
                // As in trio, whatever the child ended with.
                _ if interrupt.is_some() => Err(interrupt.map_or_else(|| NurseryClosed.into(), Error::from)),
                Some(Ok(Err(error))) => Err(error),
                _ => match value.take() {
                    Some(value) => Ok(value),
                    None => Err(NeverStarted { task: task() }.into()),
                },
            }
        }
    }
}
