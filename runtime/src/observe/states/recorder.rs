//! The instrument that records states.

use crate::{
    CancelReason, Task,
    core::{lowlevel::survey::TaskState, run},
    lowlevel::Instrument,
    observe::{
        json::{Number, OrNull, Text, list},
        snapshot::write_task,
        states::page,
    },
};
use std::{cell::RefCell, collections::HashMap, fmt, fmt::Write, rc::Rc};

/// An instrument that records the state of the whole run at each event: tasks, scopes, waits, deadlines, the tasks that
/// are ready, the clock. [`Builder::instrument`](crate::Builder::instrument) installs it.
///
/// It looks at every task at each event, and keeps all that it has seen. So use it for short runs, to understand them.
/// For long ones there is the [`Recorder`](crate::observe::Recorder).
///
/// ```
/// use terzetto::{Builder, nursery, observe::StateRecorder, sleep, testing::MockClock};
/// let recorder = StateRecorder::new();
/// Builder::new().clock(MockClock::autojump()).instrument(recorder.clone()).run(nursery(async |n| {
///     n.start_soon_named("sleeper", async { Ok(sleep(1.0).await?) });
///     Ok(())
/// }))?;
/// let page = recorder.html("A sleeper", include_str!("recorder.rs"));
/// # let page = page.replace(include_str!("recorder.rs"), "");
/// assert!(page.starts_with("<!doctype html>") && page.contains("sleeper"));
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Default)]
pub struct StateRecorder(RefCell<Recording>);

#[derive(Default)]
struct Recording {
    frames: Vec<Frame>,
    /// The different states of tasks, as JSON. Most tasks are at an event as they were at the event before.
    states: Vec<String>,
    state_of: HashMap<String, usize>,
    /// The numbers of the tasks that wait for their next step, in the order of their wakes.
    ready: Vec<u64>,
    /// The tasks that make a step, one inside the other.
    stepping: Vec<u64>,
    /// The clock at the first event.
    begun: Option<f64>,
}

/// An event, and how everything stands after it.
struct Frame {
    event: &'static str,
    task: u64,
    /// The task whose code has caused the event.
    by: Option<u64>,
    detail: Option<String>,
    time: f64,
    tick: u64,
    ready: Vec<u64>,
    stepping: Vec<u64>,
    /// Places among the states, one for each task.
    tasks: Vec<usize>,
    /// What was printed after this event and before the next one, with the line of the source.
    output: Vec<(u32, String)>,
}

impl StateRecorder {
    /// A recorder without states.
    pub fn new() -> Rc<StateRecorder> {
        Rc::default()
    }

    /// How many states it has recorded.
    pub fn len(&self) -> usize {
        self.0.borrow().frames.len()
    }

    /// Whether it has recorded no state.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds a line of the program's output, which `line` of the source has printed, to the state that was recorded last.
    /// Does nothing if there is none. The [page](StateRecorder::html) shows the output, and marks that line.
    pub fn note_output(&self, line: u32, text: &str) {
        if let Some(frame) = self.0.borrow_mut().frames.last_mut() {
            frame.output.push((line, text.to_owned()));
        }
    }

    /// The recording as JSON, with a title and the text of the program's source. It has no `<`, so that it can stand in
    /// a page.
    ///
    /// `tasks` has the different states of tasks, as in a [snapshot](crate::observe#the-snapshot). `frames` has the events
    /// in order, each with how everything stands after it:
    ///
    /// | field | meaning |
    /// |---|---|
    /// | `event` | `spawned`, `woken`, `step-begins`, `step-ends`, `blocked` (the wait is in the state of the next event), `cancelled` or `exited` |
    /// | `task` | the number of the task of the event |
    /// | `by` | the number of the task whose code has caused it; `null` is something outside |
    /// | `detail` | what the task waits for, or why it is cancelled |
    /// | `time`, `tick` | seconds of the run's clock since the first event, and the number of the tick |
    /// | `ready` | the numbers of the tasks that wait for their next step, in the order of their wakes |
    /// | `running` | the numbers of the tasks that make a step, one inside the other |
    /// | `tasks` | places in the list of states, one for each task |
    /// | `output` | pairs of a line of the source and what it has printed |
    pub fn json(&self, title: &str, source: &str) -> String {
        let recording = self.0.borrow();
        let mut json = String::new();
        // Writing into a string cannot fail.
        let _ = write!(
            json,
            r#"{{"schema":"terzetto-states-1","title":{},"source":{},"tasks":"#,
            Text(title),
            Text(source)
        );
        list(&mut json, &recording.states, |json, state| {
            json.push('\n');
            json.push_str(state);
        });
        json.push_str(",\n\"frames\":");
        list(&mut json, &recording.frames, write_frame);
        json.push_str("}\n");
        json.replace('<', "\\u003c")
    }

    /// The recording as a page (HTML), which steps through the states, forwards and back, beside the source. It needs no
    /// server and no other files.
    pub fn html(&self, title: &str, source: &str) -> String {
        page(title, &self.json(title, source))
    }

    fn note(&self, event: &'static str, task: &Task, by: Option<u64>, detail: Option<String>) {
        let seen = run::try_with(|run| {
            let survey = run.survey();
            let runnable = |id: u64| {
                let found = survey.tasks.iter().find(|entry| entry.task.id() == id);
                found.is_some_and(|entry| entry.state == TaskState::Runnable)
            };
            let mut recording = self.0.borrow_mut();
            recording.ready.retain(|&id| runnable(id));
            let mut tasks = Vec::with_capacity(survey.tasks.len());
            let stuck = survey.stuck(!run.outside().is_empty());
            for (entry, stuck) in survey.tasks.iter().zip(stuck) {
                let mut state = String::new();
                write_task(&mut state, &survey, entry, stuck, None);
                tasks.push(recording.place_of(state));
            }
            (survey.now, survey.tick, tasks)
        });
        let Some((now, tick, tasks)) = seen else { return };
        let mut recording = self.0.borrow_mut();
        let begun = *recording.begun.get_or_insert(now);
        let frame = Frame {
            event,
            task: task.id(),
            by,
            detail,
            time: now - begun,
            tick,
            ready: recording.ready.clone(),
            stepping: recording.stepping.clone(),
            tasks,
            output: Vec::new(),
        };
        recording.frames.push(frame);
    }

    /// The task whose code calls this, if it is a task's.
    fn current() -> Option<u64> {
        run::try_with(|run| run.tree.current_task()).flatten().map(|task| task.id())
    }
}

impl Recording {
    fn place_of(&mut self, state: String) -> usize {
        let next = self.states.len();
        let states = &mut self.states;
        *self.state_of.entry(state).or_insert_with_key(|state| {
            states.push(state.clone());
            next
        })
    }
}

fn write_frame(json: &mut String, frame: &Frame) {
    let numbers = |json: &mut String, name: &str, ids: &[u64]| {
        let _ = write!(json, r#","{name}":"#);
        list(json, ids, |json, id| {
            let _ = write!(json, "{id}");
        });
    };
    let _ = write!(
        json,
        "\n{{\"event\":\"{}\",\"task\":{},\"by\":{},\"detail\":{},\"time\":{},\"tick\":{}",
        frame.event,
        frame.task,
        OrNull(frame.by),
        OrNull(frame.detail.as_deref().map(Text)),
        Number(frame.time),
        frame.tick,
    );
    numbers(json, "ready", &frame.ready);
    numbers(json, "running", &frame.stepping);
    json.push_str(r#","tasks":"#);
    list(json, &frame.tasks, |json, place| {
        let _ = write!(json, "{place}");
    });
    json.push_str(r#","output":"#);
    list(json, &frame.output, |json, (line, text)| {
        let _ = write!(json, "[{line},{}]", Text(text));
    });
    json.push('}');
}

impl Instrument for StateRecorder {
    fn task_spawned(&self, task: &Task) {
        self.note("spawned", task, StateRecorder::current(), None);
    }

    fn task_scheduled(&self, task: &Task) {
        let mut recording = self.0.borrow_mut();
        if !recording.ready.contains(&task.id()) {
            recording.ready.push(task.id());
        }
        drop(recording);
        self.note("woken", task, StateRecorder::current(), None);
    }

    fn before_task_step(&self, task: &Task) {
        let mut recording = self.0.borrow_mut();
        // The body of a nursery may be polled within a step of its task. That is one step.
        let is_inner = recording.stepping.contains(&task.id());
        recording.stepping.push(task.id());
        recording.ready.retain(|&id| id != task.id());
        drop(recording);
        if !is_inner {
            self.note("step-begins", task, None, None);
        }
    }

    fn after_task_step(&self, task: &Task) {
        let mut recording = self.0.borrow_mut();
        recording.stepping.pop();
        let is_inner = recording.stepping.contains(&task.id());
        drop(recording);
        if !is_inner {
            self.note("step-ends", task, None, None);
        }
    }

    fn task_blocked(&self, task: &Task, what: &'static str) {
        self.note("blocked", task, None, Some(what.to_owned()));
    }

    fn task_cancelled(&self, task: &Task, reason: &CancelReason) {
        self.note("cancelled", task, StateRecorder::current(), Some(reason.to_string()));
    }

    fn task_exited(&self, task: &Task) {
        self.note("exited", task, None, None);
    }
}

impl fmt::Debug for StateRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateRecorder").field("states", &self.len()).finish_non_exhaustive()
    }
}
