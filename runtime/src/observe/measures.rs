//! Measuring tasks: their age, how often they were polled, and the time that took.

use crate::{
    Task,
    core::run::{Run, extensions::Extension},
    lowlevel::Instrument,
};
use std::{cell::RefCell, collections::HashMap, rc::Rc, time::Instant};

/// What was measured of a task.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Measure {
    begun: Instant,
    pub(crate) steps: u64,
    /// Seconds in its own steps, without those of its children inside them.
    pub(crate) busy: f64,
}

impl Measure {
    /// Seconds since its start.
    pub(crate) fn age(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }
}

/// A step that is under way.
struct Step {
    task: u64,
    begun: Instant,
    /// Seconds in steps of other tasks inside it.
    inside: f64,
}

#[derive(Default)]
struct Table {
    living: HashMap<u64, Measure>,
    steps: Vec<Step>,
}

/// The instrument that measures all tasks of a run. Each step costs two readings of the clock.
#[derive(Default)]
pub(crate) struct Measures(RefCell<Table>);

/// How a run finds its measures.
struct MeasuresOfRun(Rc<Measures>);

impl Extension for MeasuresOfRun {
    fn run_ends(&self) {
        self.0.0.take();
    }
}

impl Measures {
    /// Makes the run find these.
    pub(crate) fn plug_into(self: Rc<Measures>, run: &Run) {
        run.extensions.get(|| MeasuresOfRun(self));
    }

    /// Those of a run, if tasks are measured.
    pub(crate) fn of(run: &Run) -> Option<Rc<Measures>> {
        run.extensions.find::<MeasuresOfRun>().map(|found| found.0.clone())
    }

    /// What was measured of a task.
    pub(crate) fn get(&self, task: &Task) -> Option<Measure> {
        self.0.borrow().living.get(&task.id()).copied()
    }
}

impl Instrument for Measures {
    fn task_spawned(&self, task: &Task) {
        let measure = Measure { begun: Instant::now(), steps: 0, busy: 0.0 };
        self.0.borrow_mut().living.insert(task.id(), measure);
    }

    fn before_task_step(&self, task: &Task) {
        let step = Step { task: task.id(), begun: Instant::now(), inside: 0.0 };
        self.0.borrow_mut().steps.push(step);
    }

    fn after_task_step(&self, _task: &Task) {
        let mut table = self.0.borrow_mut();
        let Some(step) = table.steps.pop() else { return };
        let took = step.begun.elapsed().as_secs_f64();
        if let Some(around) = table.steps.last_mut() {
            around.inside += took;
        }
        if let Some(measure) = table.living.get_mut(&step.task) {
            measure.steps += 1;
            measure.busy += took - step.inside;
        }
    }

    fn task_exited(&self, task: &Task) {
        self.0.borrow_mut().living.remove(&task.id());
    }
}
