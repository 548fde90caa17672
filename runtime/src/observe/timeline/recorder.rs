//! The instrument that records a run.

use crate::{
    CancelReason, Task,
    core::{run, run::Run},
    lowlevel::Instrument,
    observe::{
        Timeline,
        timeline::{
            event::{Event, Label, What},
            layout::{Job, Layout},
        },
    },
    threads::{JobLog, JobSpan, Threads},
};
use std::{
    cell::{Cell, RefCell},
    collections::{HashMap, VecDeque},
    fmt,
    rc::Rc,
    sync::Arc,
    time::Instant,
};

/// An instrument that records what the tasks of a run do. [`Builder::record`](crate::Builder::record) installs it, or
/// [`add_instrument`](crate::lowlevel::add_instrument) in the middle of a run.
///
/// An event takes some 100 bytes, and the recording of one some 100 nanoseconds. A step has three events at least.
#[derive(Default)]
pub struct Recorder {
    /// How many events are kept. `None` is all.
    keeps: Option<usize>,
    events: RefCell<VecDeque<Event>>,
    /// The tasks that have not ended.
    labels: RefCell<HashMap<u64, Rc<Label>>>,
    /// The tasks that make a step, one inside the other.
    stepping: RefCell<Vec<u64>>,
    begun: Cell<Option<Instant>>,
    /// The run that is recorded, and what its worker threads do.
    run: Cell<Option<u32>>,
    jobs: RefCell<Option<Arc<JobLog>>>,
    /// When it has forgotten what was before.
    cleared: Cell<Option<Instant>>,
}

impl Recorder {
    /// A recorder that keeps all events. Use it for short runs.
    pub fn new() -> Rc<Recorder> {
        Rc::default()
    }

    /// A flight recorder: it keeps the last `count` events, however long the run.
    /// [`Builder::dump_into`](crate::Builder::dump_into) writes them into a file on a panic, a deadlock and SIGUSR1.
    ///
    /// ```
    /// use terzetto::{Builder, checkpoint, observe::Recorder};
    /// let recorder = Recorder::last(1_000);
    /// Builder::new().record(recorder.clone()).run(async {
    ///     for _ in 0..10_000 { checkpoint().await?; }
    ///     Ok(())
    /// })?;
    /// assert_eq!(recorder.len(), 1_000);
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn last(count: usize) -> Rc<Recorder> {
        Rc::new(Recorder { keeps: Some(count), ..Recorder::default() })
    }

    /// How many events it has kept.
    pub fn len(&self) -> usize {
        self.events.borrow().len()
    }

    /// Whether it has kept no event.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all events so far.
    pub fn clear(&self) {
        self.events.borrow_mut().clear();
        self.cleared.set(Some(Instant::now()));
    }

    /// What was recorded so far. The recorder goes on.
    pub fn timeline(&self) -> Timeline {
        let mut layout = Layout::of(self.events.borrow().iter());
        layout.jobs = self.jobs();
        Timeline { layout }
    }

    /// What the worker threads have done since the beginning.
    fn jobs(&self) -> Vec<Job> {
        let jobs = self.jobs.borrow();
        let Some((begun, log)) = self.begun.get().zip(jobs.as_ref()) else { return Vec::new() };
        let is_wanted =
            |span: &JobSpan| self.cleared.get().is_none_or(|cleared| span.to.is_none_or(|to| to >= cleared));
        let seconds = |moment: Instant| moment.saturating_duration_since(begun).as_secs_f64();
        let spans = log.spans().into_iter().filter(is_wanted);
        let mut jobs: Vec<Job> = spans
            .map(|span| Job {
                from: seconds(span.from),
                to: seconds(span.to.unwrap_or_else(Instant::now)),
                name: span.name,
                thread: span.thread,
                task: span.task,
            })
            .collect();
        jobs.sort_by(|a, b| a.from.total_cmp(&b.from));
        jobs
    }

    /// Asks the worker threads of a run to log their jobs, if they have not been asked.
    fn follow_threads(&self, run: &Run) {
        if self.run.replace(Some(run.id)) != Some(run.id) {
            self.jobs.replace(Some(Threads::of(run).log(self.keeps)));
        }
    }

    /// The task whose code calls this, if it is a task's.
    fn current() -> Option<u64> {
        run::try_with(|run| run.tree.current_task()).flatten().map(|task| task.id())
    }

    fn label(&self, task: &Task) -> Rc<Label> {
        let mut labels = self.labels.borrow_mut();
        let label = labels.entry(task.id()).or_insert_with(|| {
            Rc::new(Label {
                id: task.id(),
                name: task.name().to_owned(),
                place: task.spawned_at(),
                parent: task.parent().map(|parent| parent.id()),
            })
        });
        label.clone()
    }

    fn note(&self, task: &Task, what: What) {
        let begun = self.begun.get().unwrap_or_else(Instant::now);
        self.begun.set(Some(begun));
        let (clock, tick) = run::try_with(|run| {
            self.follow_threads(run);
            (run.clock.now(), run.tree.tick.get())
        })
        .unwrap_or((f64::NAN, 0));
        let event = Event { real: begun.elapsed().as_secs_f64(), clock, tick, task: self.label(task), what };
        let mut events = self.events.borrow_mut();
        if self.keeps.is_some_and(|keeps| events.len() >= keeps) {
            events.pop_front();
        }
        if self.keeps != Some(0) {
            events.push_back(event);
        }
    }
}

impl Instrument for Recorder {
    fn task_spawned(&self, task: &Task) {
        self.note(task, What::Spawned);
    }

    fn task_scheduled(&self, task: &Task) {
        self.note(task, What::Woken(Recorder::current()));
    }

    fn before_task_step(&self, task: &Task) {
        let is_inner = self.stepping.borrow().contains(&task.id());
        self.stepping.borrow_mut().push(task.id());
        // The body of a nursery may be polled within a step of its task. That is one step.
        if !is_inner {
            self.note(task, What::StepBegins);
        }
    }

    fn after_task_step(&self, task: &Task) {
        self.stepping.borrow_mut().pop();
        let is_inner = self.stepping.borrow().contains(&task.id());
        if !is_inner {
            self.note(task, What::StepEnds);
        }
        if !task.is_alive() {
            self.labels.borrow_mut().remove(&task.id());
        }
    }

    fn task_blocked(&self, task: &Task, what: &'static str) {
        self.note(task, What::Blocked(what));
    }

    fn task_cancelled(&self, task: &Task, reason: &CancelReason) {
        self.note(task, What::Cancelled(Recorder::current(), reason.to_string()));
    }

    fn task_exited(&self, task: &Task) {
        self.note(task, What::Exited);
        // If it has not ended in a step of its own, there is no later event of it.
        if !self.stepping.borrow().contains(&task.id()) {
            self.labels.borrow_mut().remove(&task.id());
        }
    }
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("events", &self.len()).finish_non_exhaustive()
    }
}
