//! Spans of `tracing`, one for each task.

use crate::{CancelReason, Task, lowlevel::Instrument};
use std::{cell::RefCell, collections::HashMap, fmt, rc::Rc};
use tracing::{Level, Span, event, span};

/// An instrument that gives each task a span of `tracing`. While the task runs, the current span is its span, or one that
/// the task has entered inside. So what the task logs, and the spans of the libraries that it calls, are inside the span of
/// the task, also across its awaits. It works with every subscriber, and the exporters on top of it.
///
/// The span is called `task`, at level INFO, with the target `terzetto::task`. Its parent is the span of the task's parent;
/// that of the main task is the span in which the run was started. It has these fields:
///
/// | field | what it is |
/// |---|---|
/// | `task.id` | the number of the task in its run |
/// | `task.name` | its name |
/// | `code.filepath`, `code.lineno` | where it was started |
///
/// If a cancellation reaches a task that is blocked, there is an event in its span, at level DEBUG, with the field
/// `reason`.
///
/// A span that the task keeps entered across an await (`Span::enter` and not `Instrument`) stays entered for other tasks, as
/// in all asynchronous code.
///
/// ```
/// use std::rc::Rc;
/// use terzetto::{Builder, checkpoint, nursery, observe::TaskSpans};
/// Builder::new().instrument(TaskSpans::new()).run(nursery(async |n| {
///     n.start_soon_named("reader", async {
///         checkpoint().await?;
///         // Inside the span `task{task.name="reader"}`.
///         tracing::info!("hello");
///         Ok(())
///     });
///     Ok(())
/// }))?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Default)]
pub struct TaskSpans {
    /// The spans of the tasks that have not ended.
    spans: RefCell<HashMap<u64, Span>>,
    /// The spans that are entered, one inside the other. A span may be there twice.
    entered: RefCell<Vec<Span>>,
}

impl TaskSpans {
    /// The instrument, for [`Builder::instrument`](crate::Builder::instrument).
    pub fn new() -> Rc<TaskSpans> {
        Rc::default()
    }

    fn span(&self, task: &Task) -> Span {
        if let Some(known) = self.spans.borrow().get(&task.id()) {
            return known.clone();
        }
        let parent = task.parent().and_then(|parent| self.spans.borrow().get(&parent.id()).cloned());
        let (file, line) = task.spawned_at().map(|at| (at.file(), at.line())).unzip();
        macro_rules! make {
            ($($parent:tt)*) => {
                span!(
                    target: "terzetto::task", $($parent)* Level::INFO, "task", task.id = task.id(),
                    task.name = task.name(), code.filepath = file, code.lineno = line,
                )
            };
        }
        let made = match &parent {
            Some(parent) => make!(parent: parent,),
            None => make!(),
        };
        self.spans.borrow_mut().insert(task.id(), made.clone());
        made
    }
}

impl Instrument for TaskSpans {
    fn task_spawned(&self, task: &Task) {
        self.span(task);
    }

    fn before_task_step(&self, task: &Task) {
        let span = self.span(task);
        span.with_subscriber(|(id, subscriber)| subscriber.enter(id));
        self.entered.borrow_mut().push(span);
    }

    fn after_task_step(&self, _task: &Task) {
        let span = self.entered.borrow_mut().pop();
        if let Some(span) = span {
            span.with_subscriber(|(id, subscriber)| subscriber.exit(id));
        }
    }

    fn task_cancelled(&self, task: &Task, reason: &CancelReason) {
        let span = self.span(task);
        event!(target: "terzetto::task", parent: &span, Level::DEBUG, %reason, "cancelled");
    }

    fn task_exited(&self, task: &Task) {
        // If its last step is under way, the list of entered spans has the span until the end of that step.
        let span = self.spans.borrow_mut().remove(&task.id());
        // The subscriber is foreign code, so nothing is borrowed when it is told.
        drop(span);
    }
}

impl fmt::Debug for TaskSpans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskSpans").field("tasks", &self.spans.borrow().len()).finish_non_exhaustive()
    }
}
