//! System tasks: tasks that belong to the run, and to no nursery of the program.
//!
//! They live in a nursery of their own beside the main task. It is made when the first of them is started. When the
//! main task has ended, system tasks are cancelled and waited for. If one of them fails, the run ends: the other
//! system tasks are cancelled, then the main task. After either end no more system tasks are started, since nothing
//! would poll them.

use crate::{
    CancelReason, CancelScope, CancelSource, Error,
    core::{
        block::wait_queue::WaitQueue,
        ids::ROOT,
        poll_tree::{
            node::{Node, Queued},
            waker,
        },
        run,
        run::{Run, extensions::Extension},
        task::{
            handle::{Task, TaskInfo},
            nursery::nursery,
        },
    },
    error::internal::InternalError,
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    rc::Rc,
    task::Poll,
};

/// The run's data about system tasks.
struct System {
    arrivals: RefCell<VecDeque<Node>>,
    arrived: Rc<WaitQueue<()>>,
    scope: CancelScope,
    started: Cell<bool>,
}

impl Extension for System {
    /// There is nothing to do. The system tasks have ended before, or were dropped with the run if the main task has
    /// panicked.
    fn run_ends(&self) {}
}

impl System {
    fn of(run: &Run) -> Rc<System> {
        run.extensions.get(|| System {
            arrivals: RefCell::default(),
            arrived: WaitQueue::new("waiting for system tasks"),
            scope: CancelScope::new(),
            started: Cell::new(false),
        })
    }

    /// The next task to be started.
    fn next_arrival(&self) -> Option<Node> {
        self.arrivals.borrow_mut().pop_front()
    }
}

impl Run {
    /// Cancels the system tasks, since the main task has ended.
    pub(crate) fn shut_down_system(&self) {
        self.inbox.announce_end();
        let reason = CancelReason::with_text(CancelSource::Shutdown, "the main task has ended");
        if let Some(system) = self.extensions.find::<System>() {
            system.scope.cell.cancel(reason);
        }
    }

    /// Starts no more system tasks. Drops those that were never started.
    pub(crate) fn close_system(&self) {
        self.inbox.announce_end();
        let Some(system) = self.extensions.find::<System>() else { return };
        while let Some(arrival) = system.next_arrival() {
            // SAFETY: the future of a system task is `'static`, so OWNED demands nothing.
            unsafe { arrival.drop_future() };
        }
    }
}

impl Run {
    /// Makes the future in which system tasks run.
    fn start_system(self: &Rc<Run>) {
        let number = self.tree.number();
        let info = TaskInfo::new(number, None, self.context.clone()).named("system tasks");
        let node = Node::new(info, std::future::pending());
        let future = Box::pin(serve(self.clone()));
        *self.system_future.borrow_mut() = Some((future, node.clone()));
        self.task_spawned(node, self.tree.root().clone());
    }

    pub(crate) fn poll_system(&self, node: &Node, queued: Queued) -> bool {
        // The future is taken out while it is polled, since it may start system tasks itself.
        let Some((mut future, of)) = self.system_future.take() else { return false };
        let Some(id) = node.id() else { return false };
        let waker = waker::new(self.id, id);
        let path = self.poll_path(ROOT);
        let mut polled = Ok(Poll::Pending);
        let again = path.step(node, queued, || {
            let poll = || future.as_mut().poll(&mut std::task::Context::from_waker(&waker));
            polled = catch_unwind(AssertUnwindSafe(poll));
            !matches!(polled, Ok(Poll::Pending))
        });
        drop(path);
        match polled {
            Ok(Poll::Pending) => {
                *self.system_future.borrow_mut() = Some((future, of));
                return again;
            }
            Ok(Poll::Ready(Ok(()))) => {}
            Ok(Poll::Ready(Err(error))) => self.crashed(failure(error)),
            Err(payload) => self.crashed(InternalError::of_panic("a system task panicked", payload)),
        }
        drop(future);
        // From now on nothing polls a system task. So none is started any more, and those that wait to be started are
        // dropped.
        self.close_system();
        self.task_exited(node);
        false
    }
}

/// The future in which system tasks run, until it is cancelled or one fails.
pub(crate) async fn serve(run: Rc<Run>) -> Result<(), Error> {
    let system = System::of(&run);
    let scope = system.scope.clone();
    let served = scope.run(nursery(async |n| {
        let start_arrivals = || {
            while let Some(node) = system.next_arrival() {
                // SAFETY: the future of a system task is `'static`, so OWNED demands nothing.
                unsafe { n.add_child(node) };
            }
        };
        loop {
            start_arrivals();
            if let (_, Err(cancelled)) = system.arrived.park(()).await {
                // No more system tasks are started after this. Those that came before were accepted. They are started
                // in a scope that is cancelled.
                run.inbox.announce_end();
                start_arrivals();
                return Err(cancelled.into());
            }
        }
    }));
    served.await.map(|_: Option<()>| ())
}

/// Starts a task outside all nurseries, which lives as long as the main task runs; trio's `spawn_system_task`. It
/// gets a copy of the [context variables](crate::ContextVar) that were set when the run was started. It does not see
/// those that the caller has set since.
///
/// It is cancelled when the main task has ended, and the run waits for its end. If the main task panics, it is dropped.
/// If it fails, that is an internal error of the run. Then the other system tasks and after them the main task are
/// cancelled, and the run returns an [`InternalError`] with the cause.
///
/// # Cancellation
/// Not a checkpoint.
///
/// # Errors
/// If the main task has ended or a system task has failed. Then no system task is started any more.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{sleep, lowlevel::spawn_system_task};
/// terzetto::run(async {
///     spawn_system_task("heartbeat", async { loop { sleep(1.0).await?; } })?;
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn spawn_system_task(
    name: impl Into<Cow<'static, str>>,
    future: impl Future<Output = Result<(), Error>> + 'static,
) -> Result<Task, crate::lowlevel::RunFinished> {
    let run = run::current();
    if run.inbox.is_ending() {
        return Err(crate::lowlevel::RunFinished);
    }
    let info = TaskInfo::new(run.tree.number(), None, run.context.clone()).named(name);
    let node = Node::new(info, future);
    let task = Task::of(&node);
    let system = System::of(&run);
    system.arrivals.borrow_mut().push_back(node);
    if !system.started.replace(true) {
        run.start_system();
    }
    system.arrived.unpark_all(|()| ());
    Ok(task)
}

/// Makes the error of the run from the error of a system task.
pub(crate) fn failure(error: Error) -> InternalError {
    InternalError::new("a system task failed", Some(error))
}
