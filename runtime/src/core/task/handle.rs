//! Tasks: the public handle, what the run knows of a task, and what happens when it ends.
//!
//! A task is what the user sees: one thread of control with a name. The run polls
//! [nodes](crate::core::poll_tree::node). A task has its outermost node, and one more node for each nursery that it
//! has open. The outermost node holds what is known of the task. No tree of tasks is kept: it is computed from the
//! table of nodes when somebody asks.

use crate::{
    core::{
        ids::{ROOT, ScopeId},
        poll_tree::node::{End, Node},
        task::context_values::TaskContext,
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

/// A longer name loses its beginning.
const LONGEST_NAME: usize = 80;

/// Something to do when a task ends. For instance, a parking lot of which the task is a breaker must break.
pub(crate) trait ExitHook {
    fn task_exited(&self, task: &Task);
}

/// The call of `start` that waits for a task.
pub(crate) trait Starter {
    /// The task's own scope.
    fn scope(&self) -> ScopeId;
    /// Takes the task's end. Returns it if the nursery must handle it.
    fn child_ended(&self, end: End) -> Option<End>;
    /// Called when the task was dropped with its nursery.
    fn child_dropped(&self);
    /// Whether the task has not been moved to its nursery.
    fn is_unmoved(&self) -> bool;
    /// The task that has called `start`, while the other one has yet to say that it is ready.
    fn caller_task(&self) -> Option<Task>;
}

/// Data that few tasks have.
#[derive(Default)]
struct Rare {
    /// The name that was given to the task. Other tasks are named after the type of their future.
    name: Option<Cow<'static, str>>,
    /// The call of `start` that waits for the task, if there is one.
    starter: Option<Rc<dyn Starter>>,
    exit_hooks: RefCell<Vec<Rc<dyn ExitHook>>>,
}

/// What is known of a node as a part of a task.
pub(crate) enum TaskInfo {
    /// The node is the task's outermost one, and holds all that is known of the task.
    Own(Own),
    /// The node is the body of a nursery that this task has opened, or polls now.
    BodyOf(RefCell<Task>),
}

/// What is known of a task.
pub(crate) struct Own {
    // This is never zero, so the enum above needs no tag.
    id: NonZeroU64,
    spawned_at: Option<&'static Location<'static>>,
    context: Cell<TaskContext>,
    rare: OnceCell<Box<Rare>>,
}

impl TaskInfo {
    /// The data of a new task.
    #[inline]
    pub(crate) fn new(
        id: NonZeroU64,
        spawned_at: Option<&'static Location<'static>>,
        context: TaskContext,
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

    /// Adds a name.
    pub(crate) fn named(self, name: impl Into<Cow<'static, str>>) -> TaskInfo {
        self.with_rare(|rare| rare.name = Some(name.into()))
    }

    /// Adds the call of `start` that waits for the task.
    pub(crate) fn with_starter(self, starter: Rc<dyn Starter>) -> TaskInfo {
        self.with_rare(|rare| rare.starter = Some(starter))
    }

    /// The call of `start` that waits for the task, if there is one.
    #[inline]
    pub(crate) fn starter(&self) -> Option<&Rc<dyn Starter>> {
        match self {
            TaskInfo::Own(own) => own.rare.get()?.starter.as_ref(),
            TaskInfo::BodyOf(_) => None,
        }
    }

    /// The data of a nursery's body.
    pub(crate) fn of_body(opener: Task) -> TaskInfo {
        TaskInfo::BodyOf(RefCell::new(opener))
    }

    /// If the node is the body of a nursery: the task that polls that nursery.
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

    /// Whether the node is a body, and its task has ended.
    #[inline]
    pub(crate) fn is_orphaned(&self) -> bool {
        match self {
            TaskInfo::Own(_) => false,
            TaskInfo::BodyOf(task) => task.borrow().0.has_ended(),
        }
    }

    /// Notes that another task polls the nursery from now on.
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
    /// Calls `f` with the task's context. Code that `f` calls finds an empty context.
    #[inline]
    pub(crate) fn with_context<R>(&self, f: impl FnOnce(&mut TaskContext) -> R) -> R {
        let mut context = self.context.take();
        let result = f(&mut context);
        self.context.set(context);
        result
    }
}

/// A task of a run. This handle names the task in messages, as the owner of a lock, and in dumps of the tree. It does
/// not keep the task alive, and it cannot be joined: the nursery waits for the task. It does keep the task's memory,
/// so do not collect handles of many tasks. Two handles are equal if they belong to the same task.
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
    /// The task that a node is a part of.
    pub(crate) fn of(node: &Node) -> Task {
        node.info.body_of().unwrap_or_else(|| Task(node.clone()))
    }

    /// What is known of the task.
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

    /// The name that was given to the task. Without one: the name of the function that made the task's future, or of
    /// the function that contains its `async` block.
    pub fn name(&self) -> &str {
        match self.given_name() {
            Some(name) => name,
            None => function_name(self.0.type_name()),
        }
    }

    fn given_name(&self) -> Option<&Cow<'static, str>> {
        self.own().rare.get()?.name.as_ref()
    }

    /// The task's name and place of start, for errors that outlive it and its thread.
    #[cold]
    pub(crate) fn origin(&self) -> TaskOrigin {
        let name = self.given_name().cloned().unwrap_or_else(|| function_name(self.0.type_name()).into());
        TaskOrigin { name, spawned_at: self.spawned_at() }
    }

    /// Where in the source the task was started.
    pub fn spawned_at(&self) -> Option<&'static Location<'static>> {
        self.own().spawned_at
    }

    /// Whether the task has not ended.
    pub fn is_alive(&self) -> bool {
        !self.0.has_ended()
    }

    /// The task whose nursery this one is in, also when it has ended, as long as that nursery is open. A task that
    /// [`Nursery::start`](crate::Nursery::start) has started, and that has yet to say that it is ready, is the child of
    /// the task that called it. The parent of the main task is the [root task](crate::lowlevel::current_root_task),
    /// which has none. trio's `parent_nursery`.
    #[doc(alias = "parent_nursery")]
    pub fn parent(&self) -> Option<Task> {
        match self.0.info.starter() {
            Some(starter) if starter.is_unmoved() => starter.caller_task(),
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
    ///                 let (me, main) = (current_task(), terzetto::lowlevel::main_task());
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
        let starting = |starter: &&Rc<dyn Starter>| starter.is_unmoved() && starter.caller_task().is_some();
        self.0.info.starter().filter(starting).and_then(|_| self.nursery_owner())
    }

    /// The task that has opened the nursery in which this one is polled, until that is closed.
    fn nursery_owner(&self) -> Option<Task> {
        self.0.nursery()?.owner.borrow().clone()
    }

    /// The scope in which the task was started.
    pub(crate) fn scope_of_start(&self) -> ScopeId {
        self.0.own_scope().or_else(|| Some(self.0.nursery()?.scope.get())).unwrap_or(ROOT)
    }

    pub(crate) fn on_exit(&self, hook: Rc<dyn ExitHook>) {
        self.own().rare.get_or_init(Box::default).exit_hooks.borrow_mut().push(hook);
    }

    /// Removes one registration of `hook`. Returns whether there was one.
    pub(crate) fn forget_on_exit(&self, hook: &Rc<dyn ExitHook>) -> bool {
        let Some(rare) = self.own().rare.get() else { return false };
        let mut hooks = rare.exit_hooks.borrow_mut();
        let found = hooks.iter().position(|other| Rc::ptr_eq(other, hook));
        found.map(|index| hooks.swap_remove(index)).is_some()
    }

    /// Notes that the task has ended. Its future is dropped.
    #[inline]
    pub(crate) fn ended(&self) {
        self.0.note_end();
        if let Some(rare) = self.own().rare.get() {
            self.call_exit_hooks(rare);
        }
        // The context may hold values of the user that panic when they are dropped. So it is dropped here, by the
        // code that ends the task, and not with the last handle of the task.
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

/// The name that was given to the task. Without one, also where it was started, since tasks of one function have the
/// same name: `copy (src/main.rs:12)`.
impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.given_name() {
            Some(name) => f.write_str(name),
            None => InFull(self).fmt(f),
        }
    }
}

/// A task with its name and where it was started, for reports of failures.
pub(crate) struct InFull<'a>(pub(crate) &'a Task);

impl fmt::Display for InFull<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_task(f, self.0.name(), self.0.spawned_at())
    }
}

/// The function that made a future of this type. That is the type's name without closures and type arguments. Of a
/// long name only the end is kept. The type of a boxed future does not tell.
pub(crate) fn function_name(type_name: &'static str) -> &'static str {
    if type_name.starts_with("core::pin::Pin<alloc::boxed::Box<") {
        return "boxed future";
    }
    let mut name = type_name;
    // The name of a trait's method begins with such a bracket: `<Type as Trait>::method`.
    if let Some(arguments) = name.find('<').filter(|&at| at > 0) {
        name = &name[..arguments];
    }
    while let Some(outer) = name.strip_suffix("::{{closure}}") {
        name = outer;
    }
    let cut = name.len().saturating_sub(LONGEST_NAME);
    let cut = (cut..=name.len()).find(|&at| name.is_char_boundary(at)).unwrap_or(name.len());
    // The cut is at the beginning of a path segment, if there is one.
    let whole = if cut == 0 { None } else { name[cut..].find("::").map(|at| cut + at + 2) };
    &name[whole.unwrap_or(cut)..]
}
