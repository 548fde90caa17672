//! Tasks: who runs, where it hangs in the tree, and what happens when it ends.
//!
//! A task is what the user sees: one thread of control with a name. The runtime polls
//! [nodes](crate::core::poll_tree::node), of which a task has one more for each nursery it has open. What is known of the
//! task is in its outermost one. The tree of tasks is kept nowhere: it is read off the table of nodes when
//! somebody asks.

use crate::{
    core::{
        cancel::tree::{ROOT, ScopeId},
        poll_tree::node::Node,
        run,
        run::Run,
        task::{context::Context, start::Pending},
    },
    error::origin::{TaskOrigin, write_task},
};
use std::{
    borrow::Cow,
    cell::{Cell, OnceCell, RefCell},
    fmt,
    num::NonZeroU64,
    panic::Location,
    rc::Rc,
};

/// Longer names are cut, at the front.
const LONGEST_NAME: usize = 80;

/// What a task must do when it ends; a wait queue that it would break, for instance.
pub(crate) trait ExitHook {
    fn task_exited(&self, task: &Task);
}

/// What few tasks have.
#[derive(Default)]
struct Rare {
    /// A name that was given to the task; others are called by the type of their future.
    name: Option<Cow<'static, str>>,
    /// The call of `start` that waits for it, if it was started so.
    pending: Option<Rc<Pending>>,
    exit_hooks: RefCell<Vec<Rc<dyn ExitHook>>>,
}

/// What is known of a node as a piece of a task.
pub(crate) enum TaskInfo {
    /// It is the task's outermost one, and knows all about the task.
    Own(Own),
    /// It is the body of a nursery that this task has opened, or polls now.
    BodyOf(RefCell<Task>),
}

/// What is known of a task.
pub(crate) struct Own {
    // Not zero, so that the enum above needs no tag.
    id: NonZeroU64,
    spawned_at: Option<&'static Location<'static>>,
    context: Cell<Context>,
    rare: OnceCell<Box<Rare>>,
}

impl TaskInfo {
    /// Of a new task.
    #[inline]
    pub(crate) fn new(
        id: NonZeroU64,
        spawned_at: Option<&'static Location<'static>>,
        context: Context,
    ) -> TaskInfo {
        TaskInfo::Own(Own { id, spawned_at, context: Cell::new(context), rare: OnceCell::new() })
    }

    fn with_rare(self, set: impl FnOnce(&mut Rare)) -> TaskInfo {
        match self {
            TaskInfo::Own(mut own) => {
                let mut rare = own.rare.take().unwrap_or_default();
                set(&mut rare);
                TaskInfo::Own(Own { rare: OnceCell::from(rare), ..own })
            }
            body => body,
        }
    }

    /// With a name.
    pub(crate) fn named(self, name: impl Into<Cow<'static, str>>) -> TaskInfo {
        self.with_rare(|rare| rare.name = Some(name.into()))
    }

    /// With the call of `start` that waits for the task.
    pub(crate) fn with_pending(self, pending: Rc<Pending>) -> TaskInfo {
        self.with_rare(|rare| rare.pending = Some(pending))
    }

    /// The call of `start` that waits for the task, if it was started so.
    #[inline]
    pub(crate) fn pending(&self) -> Option<&Rc<Pending>> {
        match self {
            TaskInfo::Own(own) => own.rare.get()?.pending.as_ref(),
            TaskInfo::BodyOf(_) => None,
        }
    }

    /// Of a nursery's body.
    pub(crate) fn of_body(opener: Task) -> TaskInfo {
        TaskInfo::BodyOf(RefCell::new(opener))
    }

    /// The task that polls the nursery of which this is the body, if it is one.
    #[inline]
    pub(crate) fn body_of(&self) -> Option<Task> {
        match self {
            TaskInfo::Own(_) => None,
            TaskInfo::BodyOf(task) => Some(task.borrow().clone()),
        }
    }

    pub(crate) fn is_body(&self) -> bool {
        matches!(self, TaskInfo::BodyOf(_))
    }

    /// Whether it is a body, and its task has ended.
    #[inline]
    pub(crate) fn is_orphaned(&self) -> bool {
        match self {
            TaskInfo::Own(_) => false,
            TaskInfo::BodyOf(task) => task.borrow().0.has_ended(),
        }
    }

    /// The nursery is polled by another task from now on.
    pub(crate) fn move_body_to(&self, to: Task) {
        if let TaskInfo::BodyOf(task) = self {
            let former = task.replace(to);
            drop(former);
        }
    }

    /// Calls `f` with what is known of the task.
    #[inline]
    pub(crate) fn with_own<R>(&self, f: impl FnOnce(&Own) -> R) -> R {
        match self {
            TaskInfo::Own(own) => f(own),
            TaskInfo::BodyOf(task) => f(task.borrow().own()),
        }
    }
}

impl Own {
    /// Calls `f` with the task's context. What `f` calls finds an empty one.
    #[inline]
    pub(crate) fn with_context<R>(&self, f: impl FnOnce(&mut Context) -> R) -> R {
        let mut context = self.context.take();
        let result = f(&mut context);
        self.context.set(context);
        result
    }
}

/// A task of a run: a handle that says who it is, for messages, owners of locks, dumps of the tree.
/// It does not keep the task alive, and there is nothing to join: that is the nursery's duty. It does keep
/// the task's memory, so it is not to be hoarded. Two handles are equal if they are of the same task.
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
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Task(Node);

impl Task {
    /// The task that a node is a piece of.
    pub(crate) fn of(node: &Node) -> Task {
        node.info.body_of().unwrap_or_else(|| Task(node.clone()))
    }

    /// What is known of it.
    #[inline]
    pub(crate) fn own(&self) -> &Own {
        match &self.0.info {
            TaskInfo::Own(own) => own,
            TaskInfo::BodyOf(_) => unreachable!("a task is its outermost node"),
        }
    }

    /// A number that no other task of the run has.
    pub fn id(&self) -> u64 {
        self.own().id.get()
    }

    /// The name it was given; or that of the function whose future it is, or in which its block stands.
    pub fn name(&self) -> &str {
        match self.given_name() {
            Some(name) => name,
            None => function_name(self.0.type_name()),
        }
    }

    fn given_name(&self) -> Option<&Cow<'static, str>> {
        self.own().rare.get()?.name.as_ref()
    }

    /// Who it is, for errors that outlive it and its thread.
    #[cold]
    pub(crate) fn origin(&self) -> TaskOrigin {
        let name = self.given_name().cloned().unwrap_or_else(|| function_name(self.0.type_name()).into());
        TaskOrigin { name, spawned_at: self.spawned_at() }
    }

    /// Where in the source it was started.
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.own().spawned_at
    }

    /// Whether it has not ended.
    pub fn is_alive(&self) -> bool {
        !self.0.has_ended()
    }

    /// The task whose nursery this one is in, also when it has ended: as long as that nursery is open. One that
    /// [`Nursery::start`](crate::Nursery::start) has started and that has yet to say that it is ready is the child of who
    /// called that. The parent of the main task is the [root task](crate::current_root_task), which has none. trio's
    /// `parent_nursery`.
    #[doc(alias = "parent_nursery")]
    pub fn parent(&self) -> Option<Task> {
        match self.0.info.pending() {
            Some(pending) if pending.is_unmoved() => pending.caller_task(),
            _ => self.nursery_owner(),
        }
    }

    /// The task in whose nursery this one will be when it says that it is ready, if that is to come: see
    /// [`Nursery::start`](crate::Nursery::start). trio's `eventual_parent_nursery`, of which this is the parent task.
    ///
    /// ```
    /// use terzetto::{current_task, nursery};
    /// terzetto::run(async {
    ///     nursery(async |outer| {
    ///         outer.start_soon_named("starter", async move {
    ///             outer.start(async |status| {
    ///                 let (me, main) = (current_task(), terzetto::main_task());
    ///                 assert_eq!(me.parent().unwrap().name(), "starter");
    ///                 assert_eq!(me.eventual_parent_nursery(), Some(main.clone()));
    ///                 status.started(())?;
    ///                 assert_eq!((me.parent(), me.eventual_parent_nursery()), (Some(main), None));
    ///                 Ok(())
    ///             }).await
    ///         });
    ///         Ok(())
    ///     }).await
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn eventual_parent_nursery(&self) -> Option<Task> {
        let starting = |pending: &&Rc<Pending>| pending.is_unmoved() && pending.caller_task().is_some();
        self.0.info.pending().filter(starting).and_then(|_| self.nursery_owner())
    }

    /// The task that has opened the nursery in which this one is polled, until that is closed.
    fn nursery_owner(&self) -> Option<Task> {
        self.0.nursery()?.owner.borrow().clone()
    }

    /// The nurseries that the task has open, outermost first; in each, the tasks started in it.
    pub fn child_nurseries(&self) -> Vec<Vec<Task>> {
        let look = |run: &Rc<Run>| {
            if *self == run.root_task() {
                return vec![run.root_tasks()];
            }
            let nurseries = run.tree.nurseries_of(self);
            nurseries.iter().map(|nursery| run.tree.tasks_in(nursery)).collect()
        };
        self.is_alive().then(|| run::try_with(look)).flatten().unwrap_or_default()
    }

    /// The scope that it was started in.
    pub(crate) fn scope_of_start(&self) -> ScopeId {
        self.0.own_scope().or_else(|| Some(self.0.nursery()?.scope.get())).unwrap_or(ROOT)
    }

    pub(crate) fn on_exit(&self, hook: Rc<dyn ExitHook>) {
        self.own().rare.get_or_init(Box::default).exit_hooks.borrow_mut().push(hook);
    }

    /// Takes back one registration of `hook`; returns whether there was one.
    pub(crate) fn forget_on_exit(&self, hook: &Rc<dyn ExitHook>) -> bool {
        let Some(rare) = self.own().rare.get() else { return false };
        let mut hooks = rare.exit_hooks.borrow_mut();
        let found = hooks.iter().position(|other| Rc::ptr_eq(other, hook));
        found.map(|index| hooks.swap_remove(index)).is_some()
    }

    /// The task has ended: its future is dropped.
    #[inline]
    pub(crate) fn ended(&self) {
        self.0.note_end();
        if let Some(rare) = self.own().rare.get() {
            self.call_exit_hooks(rare);
        }
        // What its context holds may be the user's, and panic when it is dropped: it goes now, with whoever ends the task,
        // and not with the last handle of the task.
        drop(self.own().context.take());
    }

    #[cold]
    fn call_exit_hooks(&self, rare: &Rare) {
        let hooks = rare.exit_hooks.take();
        for hook in hooks {
            hook.task_exited(self);
        }
    }
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Task({} {:?})", self.id(), self.name())
    }
}

/// The name; and where it was started if it was given none, as tasks of one function have one name:
/// `copy (src/main.rs:12)`.
impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.given_name() {
            Some(name) => f.write_str(name),
            None => InFull(self).fmt(f),
        }
    }
}

/// A task with its name and where it was started, for failures.
pub(crate) struct InFull<'a>(pub(crate) &'a Task);

impl fmt::Display for InFull<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_task(f, self.0.name(), self.0.spawned_at())
    }
}

/// The function that a future's type was made by: the type's name without closures and type arguments, and of a long one
/// the end. A boxed future has forgotten whose it is.
pub(crate) fn function_name(type_name: &'static str) -> &'static str {
    if type_name.starts_with("core::pin::Pin<alloc::boxed::Box<") {
        return "boxed future";
    }
    let mut name = type_name;
    // The name of a method of a trait begins with such a bracket: `<Type as Trait>::method`.
    if let Some(arguments) = name.find('<').filter(|&at| at > 0) {
        name = &name[..arguments];
    }
    while let Some(outer) = name.strip_suffix("::{{closure}}") {
        name = outer;
    }
    let cut = name.len().saturating_sub(LONGEST_NAME);
    let cut = (cut..=name.len()).find(|&at| name.is_char_boundary(at)).unwrap_or(name.len());
    // At the beginning of a segment, if there is one.
    let whole = if cut == 0 { None } else { name[cut..].find("::").map(|at| cut + at + 2) };
    &name[whole.unwrap_or(cut)..]
}

/// The task that calls. trio's `current_task`.
///
/// # Panics
/// Outside a run, or outside any of its tasks (in a callback of the token, for instance).
pub fn current_task() -> Task {
    match run::current().tree.current_task() {
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
