//! Events of a run, as a recorder keeps them.

use std::{panic::Location, rc::Rc};

/// What is known of a task.
#[derive(Debug)]
pub(super) struct Label {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) place: Option<&'static Location<'static>>,
    pub(super) parent: Option<u64>,
}

impl Label {
    /// The name, and the place where the task was started.
    pub(super) fn in_full(&self) -> String {
        match self.place {
            Some(at) => format!("{} ({}:{})", self.name, at.file(), at.line()),
            None => self.name.clone(),
        }
    }
}

/// Something that happened to a task.
#[derive(Debug, Clone)]
pub(super) struct Event {
    /// Seconds of the machine's clock since the recorder's first event.
    pub(super) real: f64,
    /// The run's clock.
    pub(super) clock: f64,
    pub(super) tick: u64,
    pub(super) task: Rc<Label>,
    pub(super) what: What,
}

#[derive(Debug, Clone)]
pub(super) enum What {
    Spawned,
    /// It has become runnable, by code of this task or from outside.
    Woken(Option<u64>),
    StepBegins,
    StepEnds,
    /// It has begun a wait.
    Blocked(&'static str),
    /// A cancellation has reached it, by code of this task or from outside.
    Cancelled(Option<u64>, String),
    Exited,
}
