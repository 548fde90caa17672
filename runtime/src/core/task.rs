//! Tasks: who runs, where it hangs in the tree, and what happens when it ends.
//!
//! A task is what the user sees: one thread of control with a name. The runtime polls
//! [strands](super::strand), of which a task has one more for each nursery it has open. What they
//! share is here. The tree of tasks is kept nowhere: it is read off the tables of strands and
//! nurseries when somebody asks.

use super::{
    context::Context,
    run::{self, Run},
    waker::StrandId,
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    fmt,
    hash::{Hash, Hasher},
    panic::Location,
    rc::Rc,
};

/// What a task must do when it ends; a lot that it would break, for instance.
pub(crate) trait ExitHook {
    fn task_exited(&self, task: &Task);
}

/// What is known of a task: shared by its strands.
pub(crate) struct TaskInfo {
    id: u64,
    name: Cow<'static, str>,
    spawned_at: Option<&'static Location<'static>>,
    /// The outermost strand.
    strand: Cell<Option<StrandId>>,
    alive: Cell<bool>,
    /// How often the task was where a cancellation would have been raised; for tests.
    pub(crate) cancel_points: Cell<u32>,
    pub(crate) context: RefCell<Context>,
    exit_hooks: RefCell<Vec<Rc<dyn ExitHook>>>,
}

/// A task of a run: a handle that says who it is, for messages, owners of locks, dumps of the tree.
/// It does not keep the task alive, and there is nothing to join: that is the nursery's duty.
///
/// ```
/// use terzetto::{current_task, nursery};
/// terzetto::run(async {
///     let main = current_task();
///     assert_eq!(main.name(), "main");
///     nursery(async |n| {
///         let main = &main;
///         n.start_soon_named("child", async move {
///             assert_eq!(current_task().parent().as_ref(), Some(main));
///             Ok(())
///         });
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone)]
pub struct Task(pub(crate) Rc<TaskInfo>);

impl Task {
    pub(crate) fn new(
        id: u64,
        name: Cow<'static, str>,
        spawned_at: Option<&'static Location<'static>>,
        context: Context,
    ) -> Task {
        Task(Rc::new(TaskInfo {
            id,
            name,
            spawned_at,
            strand: Cell::new(None),
            alive: Cell::new(true),
            cancel_points: Cell::new(0),
            context: RefCell::new(context),
            exit_hooks: RefCell::default(),
        }))
    }

    pub(crate) fn set_strand(&self, strand: StrandId) {
        self.0.strand.set(Some(strand));
    }

    /// A number that no other task of the run has.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// The name it was given, or that of its function.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Where in the source it was started.
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.0.spawned_at
    }

    /// Whether it has not ended.
    pub fn is_alive(&self) -> bool {
        self.0.alive.get()
    }

    /// The task whose nursery this one was started in; none for the main task, or once ended.
    pub fn parent(&self) -> Option<Task> {
        self.look(|run| run.strands.parent_of(self.0.strand.get()?))?
    }

    /// The nurseries that the task has open, outermost first; in each, the tasks started in it.
    pub fn child_nurseries(&self) -> Vec<Vec<Task>> {
        let nurseries = self.look(|run| run.strands.nurseries_of(self)).unwrap_or_default();
        nurseries.into_iter().map(|(_, children)| children).collect()
    }

    fn look<R>(&self, f: impl FnOnce(&Run) -> R) -> Option<R> {
        self.is_alive().then(|| run::try_with(|run| f(run))).flatten()
    }

    pub(crate) fn on_exit(&self, hook: Rc<dyn ExitHook>) {
        self.0.exit_hooks.borrow_mut().push(hook);
    }

    /// Takes back one registration of `hook`; returns whether there was one.
    pub(crate) fn forget_on_exit(&self, hook: &Rc<dyn ExitHook>) -> bool {
        let mut hooks = self.0.exit_hooks.borrow_mut();
        let found = hooks.iter().position(|other| Rc::ptr_eq(other, hook));
        let removed = found.map(|index| hooks.swap_remove(index));
        drop(hooks);
        removed.is_some()
    }

    /// The task has ended: its future is dropped.
    pub(crate) fn ended(&self) {
        self.0.alive.set(false);
        let hooks = self.0.exit_hooks.take();
        for hook in hooks {
            hook.task_exited(self);
        }
    }
}

/// Two handles are equal if they are of the same task.
impl PartialEq for Task {
    fn eq(&self, other: &Task) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Task {}

impl Hash for Task {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Rc::as_ptr(&self.0).hash(state);
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Task({} {:?})", self.id(), self.name())
    }
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The task that calls. trio's `current_task`.
///
/// # Panics
/// Outside a run, or outside any of its tasks (in a callback of the token, for instance).
pub fn current_task() -> Task {
    match run::current().strands.current_task() {
        Some(task) => task,
        None => panic!("`current_task` was called on the run loop, outside any task"),
    }
}

/// The main task of the run.
///
/// # Panics
/// Outside a run.
pub fn main_task() -> Task {
    run::current().main_task()
}
