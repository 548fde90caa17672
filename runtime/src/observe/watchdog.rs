//! The watchdog: it names a task that holds the loop up.
//!
//! Everything in a run happens on one thread. A task that computes for a second between two checkpoints holds all
//! others up for a second, and nothing else shows which task that was. An instrument notes when each step begins. A
//! thread of its own looks whether the step under way has taken too long, and says so while it still runs. So a step that
//! never ends is named, too.
//!
//! If it was asked to, the thread also shows the functions that the step is in: see
//! [`native_stack`](crate::observe::native_stack).

use crate::{
    Task,
    core::run::{Run, extensions::Extension},
    lowlevel::Instrument,
    observe::native_stack::Stacks,
};
use std::{
    cell::RefCell,
    collections::HashMap,
    rc::Rc,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

/// The thread looks at least this seldom.
const SHORTEST_LOOK: Duration = Duration::from_millis(1);

/// The step that is under way.
#[derive(Clone)]
struct UnderWay {
    task: Arc<str>,
    /// When the task began or went on with it.
    since: Instant,
    /// How long it had taken before, if steps of other tasks were inside.
    before: Duration,
    /// Whether the log has named it.
    named: bool,
}

impl UnderWay {
    fn took(&self) -> Duration {
        self.before + self.since.elapsed()
    }
}

/// What the loop and the thread share.
struct Shared {
    limit: Duration,
    state: Mutex<SharedState>,
    over: Condvar,
}

#[derive(Default)]
struct SharedState {
    current: Option<UnderWay>,
    is_over: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, SharedState> {
        // No code can panic half-way while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names a step in the log, if it has taken too long and still runs.
    fn look(&self, stacks: &Stacks) {
        let late = {
            let mut state = self.state();
            let current = state.current.as_mut().filter(|step| !step.named && step.took() >= self.limit);
            current.map(|step| {
                step.named = true;
                (step.task.clone(), step.took(), step.since)
            })
        };
        if let Some((task, took, since)) = late {
            let stack = stacks.copy();
            // Whether what was copied is the stack of that step.
            let still_runs = self.state().current.as_ref().is_some_and(|step| step.since == since);
            log::warn!(
                "task {task} has run for {:.3} s without a checkpoint, and still does; all other tasks wait for it",
                took.as_secs_f64()
            );
            if still_runs {
                stack.log(&task);
            }
        }
    }

    fn watch(&self, stacks: &Stacks) {
        let pause = (self.limit / 4).max(SHORTEST_LOOK);
        let mut state = self.state();
        while !state.is_over {
            (state, _) = self.over.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner);
            drop(state);
            self.look(stacks);
            state = self.state();
        }
    }
}

/// The instrument of a watchdog.
pub(crate) struct Watchdog {
    shared: Arc<Shared>,
    /// The steps around the one under way.
    around: RefCell<Vec<UnderWay>>,
    /// What the living tasks are called.
    names: RefCell<HashMap<u64, Arc<str>>>,
}

impl Watchdog {
    pub(crate) fn new(limit: Duration) -> Rc<Watchdog> {
        let shared = Shared { limit, state: Mutex::default(), over: Condvar::new() };
        Rc::new(Watchdog { shared: Arc::new(shared), around: RefCell::default(), names: RefCell::default() })
    }

    /// Starts the thread, which stays until the run ends.
    pub(crate) fn plug_into(&self, run: &Run, with_stacks: bool) {
        let shared = self.shared.clone();
        let stacks = Stacks::of_this_thread(with_stacks);
        match thread::Builder::new().name("terzetto watch".to_owned()).spawn(move || shared.watch(&stacks)) {
            Ok(thread) => {
                let shared = self.shared.clone();
                run.extensions.get(|| Watching { shared, thread: RefCell::new(Some(thread)) });
            }
            Err(error) => log::warn!("long steps are named only when they end: {error}"),
        }
    }

    fn name(&self, task: &Task) -> Arc<str> {
        let mut names = self.names.borrow_mut();
        names
            .entry(task.id())
            .or_insert_with(|| crate::core::task::handle::InFull(task).to_string().into())
            .clone()
    }
}

impl Instrument for Watchdog {
    fn before_task_step(&self, task: &Task) {
        let step =
            UnderWay { task: self.name(task), since: Instant::now(), before: Duration::ZERO, named: false };
        let outer = self.shared.state().current.replace(step);
        if let Some(outer) = outer {
            let before = outer.took();
            self.around.borrow_mut().push(UnderWay { before, ..outer });
        }
    }

    fn after_task_step(&self, _task: &Task) {
        let outer = self.around.borrow_mut().pop().map(|outer| UnderWay { since: Instant::now(), ..outer });
        let ended = std::mem::replace(&mut self.shared.state().current, outer);
        if let Some(step) = ended
            && step.took() >= self.shared.limit
        {
            log::warn!(
                "task {} has run for {:.3} s without a checkpoint",
                step.task,
                step.took().as_secs_f64()
            );
        }
    }

    fn task_exited(&self, task: &Task) {
        self.names.borrow_mut().remove(&task.id());
    }
}

/// The thread of a watchdog, until the run ends.
struct Watching {
    shared: Arc<Shared>,
    thread: RefCell<Option<thread::JoinHandle<()>>>,
}

impl Extension for Watching {
    fn run_ends(&self) {
        self.shared.state().is_over = true;
        self.shared.over.notify_all();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the thread of the watchdog has panicked");
        }
    }
}
