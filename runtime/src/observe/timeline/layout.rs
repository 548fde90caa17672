//! The events of a run as rows of steps and waits, with places along a logical time.
//!
//! A step that has no other step inside is one unit wide, whatever it took. A small gap lies between two ticks, and a
//! larger one where the clock has moved meanwhile. So the places depend on the order of events and on the run's clock,
//! and not on the speed of the machine.

use crate::observe::timeline::event::{Event, Label, What};
use std::{collections::HashMap, rc::Rc};

/// The width of a step's beginning and end, if other steps are inside.
const EDGE: f64 = 0.3;
const STEP: f64 = 1.0;
const BETWEEN_TICKS: f64 = 0.4;
const TIME_PASSES: f64 = 1.2;

/// A moment: along the logical time, and in real seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Moment {
    pub(super) place: f64,
    pub(super) real: f64,
}

/// A step of a task.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) from: Moment,
    pub(super) to: Moment,
}

/// A time between two steps of a task.
#[derive(Debug)]
pub(super) struct Pause {
    pub(super) from: Moment,
    pub(super) to: Moment,
    /// What the task was blocked in. It is empty if the task was runnable all the time.
    pub(super) what: Vec<&'static str>,
}

/// A task's row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) label: Rc<Label>,
    /// How many of its ancestors have rows.
    pub(super) depth: usize,
    pub(super) from: Moment,
    pub(super) to: Moment,
    /// Whether it has ended.
    pub(super) ended: bool,
    pub(super) steps: Vec<Step>,
    pub(super) pauses: Vec<Pause>,
}

/// Why a task has become runnable.
#[derive(Debug)]
pub(super) struct Wake {
    /// The row of the task that has woken it. `None` is something outside.
    pub(super) by: Option<usize>,
    pub(super) row: usize,
    pub(super) from: Moment,
    /// The beginning of the step that follows.
    pub(super) to: Moment,
}

/// A cancellation that has reached a task.
#[derive(Debug)]
pub(super) struct Cancellation {
    pub(super) by: Option<usize>,
    pub(super) row: usize,
    pub(super) at: Moment,
    pub(super) reason: String,
}

/// A tick, or several between which nothing was recorded.
#[derive(Debug)]
pub(super) struct Tick {
    pub(super) from: f64,
    pub(super) to: f64,
    /// The run's clock since the first event, if it has moved since the tick before.
    pub(super) clock: Option<f64>,
}

/// All that a picture needs.
#[derive(Debug, Default)]
pub(super) struct Layout {
    /// As nurseries are nested: children come after their parent, the oldest first.
    pub(super) rows: Vec<Row>,
    pub(super) wakes: Vec<Wake>,
    pub(super) cancellations: Vec<Cancellation>,
    pub(super) ticks: Vec<Tick>,
    pub(super) end: Moment,
    /// What worker threads have done, the earliest first. These have no place along the logical time.
    pub(super) jobs: Vec<Job>,
}

/// A job in a worker thread, or a part of one. Times are in real seconds.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) name: String,
    pub(super) thread: usize,
    /// The number of the task that waits for it.
    pub(super) task: Option<u64>,
    pub(super) from: f64,
    pub(super) to: f64,
}

/// A layout that is being made.
struct Builder {
    layout: Layout,
    /// The row of each task, by the task's number.
    row_of: HashMap<u64, usize>,
    now: Moment,
    tick: Option<u64>,
    first_clock: f64,
    clock: f64,
    /// The steps under way, by row, with whether another step is inside.
    stepping: Vec<(usize, Moment, bool)>,
    /// The cancellations since the last tick, by something outside.
    between: Vec<usize>,
    /// For each row: the wakes that wait for its next step.
    woken: HashMap<usize, Vec<usize>>,
    /// For each row: where its last step has ended, and in what it is blocked since.
    pausing: HashMap<usize, (Moment, Vec<&'static str>)>,
}

impl Layout {
    pub(super) fn of<'a>(events: impl Iterator<Item = &'a Event>) -> Layout {
        let mut builder = Builder {
            layout: Layout::default(),
            row_of: HashMap::new(),
            now: Moment::default(),
            tick: None,
            first_clock: f64::NAN,
            clock: f64::NAN,
            stepping: Vec::new(),
            between: Vec::new(),
            woken: HashMap::new(),
            pausing: HashMap::new(),
        };
        events.for_each(|event| builder.add(event));
        builder.finish()
    }
}

impl Builder {
    fn add(&mut self, event: &Event) {
        self.now.real = event.real;
        self.pass_time(event);
        let row = self.row(&event.task);
        let by = |builder: &Builder, task: &Option<u64>| task.and_then(|id| builder.row_of.get(&id).copied());
        match &event.what {
            What::Spawned => {}
            What::Woken(task) => {
                // A wake from within a step comes from its middle.
                let mut from = self.now;
                from.place += if self.stepping.is_empty() { 0.0 } else { STEP / 2.0 };
                let wake = Wake { by: by(self, task), row, from, to: self.now };
                self.woken.entry(row).or_default().push(self.layout.wakes.len());
                self.layout.wakes.push(wake);
            }
            What::StepBegins => self.begin_step(row),
            What::StepEnds => self.end_step(row),
            What::Blocked(what) => self.pausing.entry(row).or_default().1.push(what),
            What::Cancelled(task, reason) => {
                let mut at = self.now;
                at.place += if self.stepping.is_empty() { 0.0 } else { STEP / 2.0 };
                let by = by(self, task);
                if self.stepping.is_empty() {
                    self.between.push(self.layout.cancellations.len());
                }
                self.layout.cancellations.push(Cancellation { by, row, at, reason: reason.clone() });
            }
            What::Exited => self.layout.rows[row].ended = true,
        }
        self.layout.rows[row].to = self.now;
    }

    /// Begins a tick, if the event is the first of one.
    fn pass_time(&mut self, event: &Event) {
        if self.first_clock.is_nan() {
            self.first_clock = event.clock;
        }
        let is_step = matches!(event.what, What::StepBegins);
        if !is_step || self.tick == Some(event.tick) {
            return;
        }
        let moved = self.tick.is_none() || (event.clock - self.clock).abs() > 1e-9;
        if let Some(tick) = self.layout.ticks.last_mut() {
            tick.to = self.now.place;
            self.now.place += if moved { TIME_PASSES } else { BETWEEN_TICKS };
        }
        // What came from outside came when the clock had moved: just before this tick.
        for cancellation in self.between.drain(..) {
            self.layout.cancellations[cancellation].at.place = self.now.place - BETWEEN_TICKS / 2.0;
        }
        let clock = moved.then_some(event.clock - self.first_clock).filter(|clock| clock.is_finite());
        self.layout.ticks.push(Tick { from: self.now.place, to: self.now.place, clock });
        self.tick = Some(event.tick);
        self.clock = event.clock;
    }

    fn row(&mut self, label: &Rc<Label>) -> usize {
        let (rows, now) = (&mut self.layout.rows, self.now);
        *self.row_of.entry(label.id).or_insert_with(|| {
            rows.push(Row {
                label: label.clone(),
                depth: 0,
                from: now,
                to: now,
                ended: false,
                steps: Vec::new(),
                pauses: Vec::new(),
            });
            rows.len() - 1
        })
    }

    fn begin_step(&mut self, row: usize) {
        if let Some(around) = self.stepping.last_mut()
            && !std::mem::replace(&mut around.2, true)
        {
            self.now.place += EDGE;
        }
        if let Some((from, what)) = self.pausing.remove(&row)
            && !self.layout.rows[row].steps.is_empty()
        {
            self.layout.rows[row].pauses.push(Pause { from, to: self.now, what });
        }
        for wake in self.woken.remove(&row).unwrap_or_default() {
            self.layout.wakes[wake].to = self.now;
        }
        self.stepping.push((row, self.now, false));
    }

    fn end_step(&mut self, row: usize) {
        let Some(place) = self.stepping.iter().rposition(|(stepping, ..)| *stepping == row) else { return };
        let (_, from, has_inside) = self.stepping.remove(place);
        self.now.place += if has_inside { EDGE } else { STEP };
        self.layout.rows[row].steps.push(Step { from, to: self.now });
        self.pausing.entry(row).or_default().0 = self.now;
    }

    fn finish(mut self) -> Layout {
        if let Some(tick) = self.layout.ticks.last_mut() {
            tick.to = self.now.place;
        }
        let unseen: Vec<usize> = self.woken.into_values().flatten().collect();
        for (row, (from, what)) in self.pausing {
            let entry = &mut self.layout.rows[row];
            if !entry.ended && !entry.steps.is_empty() {
                entry.to = self.now;
                entry.pauses.push(Pause { from, to: self.now, what });
            }
        }
        for wake in unseen {
            self.layout.wakes[wake].to = self.now;
        }
        self.layout.end = self.now;
        sort_rows(&mut self.layout, &self.row_of);
        self.layout
    }
}

/// Sorts the rows as nurseries are nested, and changes the numbers of rows accordingly.
fn sort_rows(layout: &mut Layout, row_of: &HashMap<u64, usize>) {
    let parent = |row: usize| layout.rows[row].label.parent.and_then(|id| row_of.get(&id).copied());
    let mut children: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
    for row in 0..layout.rows.len() {
        children.entry(parent(row)).or_default().push(row);
    }
    let mut order = Vec::new();
    let mut todo: Vec<(usize, usize)> = Vec::new();
    let add = |todo: &mut Vec<(usize, usize)>, above: Option<usize>, depth: usize| {
        let mut below = children.get(&above).cloned().unwrap_or_default();
        below.sort_by_key(|&row| std::cmp::Reverse(layout.rows[row].label.id));
        todo.extend(below.into_iter().map(|row| (row, depth)));
    };
    add(&mut todo, None, 0);
    while let Some((row, depth)) = todo.pop() {
        order.push((row, depth));
        add(&mut todo, Some(row), depth + 1);
    }
    let mut new_place = vec![0; layout.rows.len()];
    for (place, &(row, _)) in order.iter().enumerate() {
        new_place[row] = place;
    }
    let mut rows: Vec<Option<Row>> = std::mem::take(&mut layout.rows).into_iter().map(Some).collect();
    for (row, depth) in order {
        layout.rows.extend(rows[row].take().map(|entry| Row { depth, ..entry }));
    }
    for wake in &mut layout.wakes {
        (wake.row, wake.by) = (new_place[wake.row], wake.by.map(|by| new_place[by]));
    }
    for cancellation in &mut layout.cancellations {
        let by = cancellation.by.map(|by| new_place[by]);
        (cancellation.row, cancellation.by) = (new_place[cancellation.row], by);
    }
}
