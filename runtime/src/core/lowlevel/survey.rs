//! A survey of a run: each task, what it is blocked in, and which tasks could end that.
//!
//! No such picture is kept while the run goes on. It is made when somebody asks, in one pass over the tables of nodes,
//! waits and scopes. So it takes time in proportion to the number of tasks, and costs nothing before.

use crate::{
    CancelReason,
    core::{
        block::{
            awaited::{Awaited, EndedBy},
            operation::START,
            waits::WaitState,
        },
        ids::ScopeId,
        lowlevel::reached::Trails,
        poll_tree::{node::Queued, nursery_node::NurseryNode},
        run::Run,
        task::handle::Task,
    },
};
use std::{collections::HashMap, rc::Rc, sync::Arc};

/// All tasks of a run, oldest first.
pub(crate) struct Survey {
    /// The run's time.
    pub(crate) now: f64,
    pub(crate) tick: u64,
    pub(crate) tasks: Vec<SurveyedTask>,
}

/// What a task is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TaskState {
    /// It is being polled.
    Running,
    /// It will be polled in the next tick.
    Runnable,
    /// It was woken, but the nursery that would poll it is not polled: somebody keeps that nursery's future.
    NotPolled,
    /// It is blocked in one or more waits.
    Blocked,
    /// It waits for the tasks of a nursery whose body has ended.
    EndOfNursery,
    /// It awaits something that the runtime does not know.
    Foreign,
}

pub(crate) struct SurveyedTask {
    pub(crate) task: Task,
    /// The place of its parent in the survey. The main task has none, nor have the system tasks.
    pub(crate) parent: Option<usize>,
    /// The number of the nursery in which it is.
    pub(crate) nursery: Option<u64>,
    pub(crate) state: TaskState,
    /// The place of the task that keeps a nursery around it and does not poll it, if it is `NotPolled`.
    pub(crate) kept_by: Option<usize>,
    /// What it is blocked in. A task in a `join!` may be blocked in several things.
    pub(crate) waits: Vec<SurveyedWait>,
    /// The scopes that it has entered, outermost first.
    pub(crate) scopes: Vec<SurveyedScope>,
}

pub(crate) struct SurveyedWait {
    pub(crate) what: &'static str,
    pub(crate) stage: WaitStage,
    pub(crate) ended_by: EndedBy,
    /// The places of the tasks that hold what is waited for. It is empty if they are not known.
    pub(crate) holders: Vec<usize>,
    /// Whether all of the holders must act, and not only one of them.
    pub(crate) needs_all: bool,
    pub(crate) details: String,
    /// When the wait ends by itself.
    pub(crate) ends_at: Option<f64>,
    /// The nearest deadline that can cancel the wait. It is minus infinity if the wait's scope is cancelled.
    pub(crate) deadline: f64,
    /// The reason of a cancellation that a shield hides from the wait.
    pub(crate) hidden: Option<Arc<CancelReason>>,
}

/// How far a wait has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WaitStage {
    Blocked,
    /// It was cancelled, and its operation cannot be aborted.
    NotAbortable,
    /// It is over, and its future has not been polled since.
    Over,
}

pub(crate) struct SurveyedScope {
    pub(crate) deadline: f64,
    pub(crate) shielded: bool,
    pub(crate) cancelled: bool,
    pub(crate) reason: Option<Arc<CancelReason>>,
}

/// The wait of a task for the end of a nursery, which is not in the table of waits.
pub(crate) const END_OF_NURSERY: &str = "waiting for the end of its nursery";
const AWAITS_FOREIGN: &str = crate::core::cancel::stuck::AWAITS_FOREIGN;

impl Run {
    /// Looks at all tasks.
    pub(crate) fn survey(&self) -> Survey {
        let tasks = self.tree.all_tasks();
        let places: HashMap<u64, usize> =
            tasks.iter().enumerate().map(|(place, task)| (task.id(), place)).collect();
        let place_of = |task: &Task| places.get(&task.id()).copied();
        let mut all: Vec<SurveyedTask> = tasks
            .into_iter()
            .map(|task| SurveyedTask {
                parent: task.parent().as_ref().and_then(place_of),
                nursery: None,
                state: TaskState::Blocked,
                kept_by: None,
                waits: Vec::new(),
                scopes: Vec::new(),
                task,
            })
            .collect();
        let ends = self.survey_nodes(&mut all, &place_of);
        self.survey_waits(&mut all, &place_of);
        self.survey_scopes(&mut all, &place_of);
        let mut children: HashMap<u64, Vec<usize>> = HashMap::new();
        for (place, entry) in all.iter().enumerate() {
            if let Some(nursery) = entry.nursery {
                children.entry(nursery).or_default().push(place);
            }
        }
        for (place, (nursery, deadline)) in ends {
            let entry = &mut all[place];
            if entry.state != TaskState::Blocked || !entry.waits.is_empty() {
                continue;
            }
            let holders = children.remove(&nursery).unwrap_or_default();
            entry.state = TaskState::EndOfNursery;
            entry.waits.push(SurveyedWait {
                needs_all: true,
                ..SurveyedWait::new(END_OF_NURSERY, holders, deadline)
            });
        }
        self.survey_starts(&mut all, &place_of);
        for entry in &mut all {
            if entry.state == TaskState::Blocked && entry.waits.is_empty() {
                entry.state = TaskState::Foreign;
                let wait = SurveyedWait::new(AWAITS_FOREIGN, Vec::new(), f64::INFINITY);
                entry.waits.push(SurveyedWait { ended_by: EndedBy::Foreign, ..wait });
            }
        }
        Survey { now: self.clock.now(), tick: self.tree.tick.get(), tasks: all }
    }

    /// Notes which tasks are runnable, and in which nurseries they are. Returns, for each task that waits for the end
    /// of its innermost nursery, that nursery's number and the deadline around it.
    fn survey_nodes(
        &self,
        all: &mut [SurveyedTask],
        place_of: &impl Fn(&Task) -> Option<usize>,
    ) -> HashMap<usize, (u64, f64)> {
        let mut innermost: HashMap<usize, (Rc<NurseryNode>, bool)> = HashMap::new();
        let current = self.tree.current_task().as_ref().and_then(place_of);
        let table = self.tree.table.borrow();
        let mut trails = Trails::of(&table, self.tree.current.get());
        for (_, node) in table.iter() {
            let Some(place) = place_of(&Task::of(node)) else { continue };
            let state = &mut all[place].state;
            if node.is_polled() && current == Some(place) {
                *state = TaskState::Running;
            } else if node.queued.get() == Queued::ForItself && *state != TaskState::Running {
                match trails.broken_by(node) {
                    None => *state = TaskState::Runnable,
                    Some(keeper) if !node.info.is_body() => {
                        *state = TaskState::NotPolled;
                        all[place].kept_by = place_of(&keeper);
                    }
                    // Of a body that is not polled, the wait that is over tells.
                    Some(_) => {}
                }
            }
            let Some(nursery) = node.nursery() else { continue };
            if node.info.is_body() {
                let outer = innermost.get(&place).map_or(0, |(nursery, _)| nursery.serial.get() + 1);
                if nursery.serial.get() + 1 > outer {
                    innermost.insert(place, (nursery.clone(), node.is_idle()));
                }
            } else if !Rc::ptr_eq(nursery, self.tree.root()) {
                all[place].nursery = Some(nursery.serial.get());
            }
        }
        let ended = innermost.into_iter().filter(|(_, (_, body_goes_on))| !body_goes_on);
        ended
            .map(|(place, (nursery, _))| {
                let deadline = self.scopes.effective_deadline(nursery.scope.get());
                (place, (nursery.serial.get(), deadline))
            })
            .collect()
    }

    fn survey_waits(&self, all: &mut [SurveyedTask], place_of: &impl Fn(&Task) -> Option<usize>) {
        let ends: HashMap<_, _> = self.deadlines.borrow().of_waits().collect();
        let waits = self.waits.table.borrow();
        for (id, wait) in waits.iter() {
            let node = self.waits.waiters.polled_by(wait.waiter);
            let task = node.and_then(|node| self.tree.task_of(node));
            let Some(place) = task.as_ref().and_then(place_of) else { continue };
            let deadline = wait.scope.map_or(f64::INFINITY, |scope| self.scopes.effective_deadline(scope));
            let (what, stage, awaited) = match &wait.state {
                WaitState::Blocked { operation, key } => {
                    (operation.describe(), WaitStage::Blocked, operation.awaited(*key))
                }
                WaitState::Aborting | WaitState::Committed => (
                    "cancelled, in an operation that cannot be aborted",
                    WaitStage::NotAbortable,
                    Awaited::default(),
                ),
                WaitState::Rescheduled => ("about to go on", WaitStage::Over, Awaited::default()),
                WaitState::Aborted(_) | WaitState::Raised => {
                    ("cancelled, and about to go on", WaitStage::Over, Awaited::default())
                }
            };
            let holders = awaited.holders.iter().filter_map(place_of).collect();
            let ends_at = ends.get(&id).copied();
            all[place].waits.push(SurveyedWait {
                stage,
                ended_by: if ends_at.is_some() { EndedBy::Time } else { awaited.ended_by },
                details: awaited.details,
                ends_at,
                hidden: wait.scope.and_then(|scope| self.scopes.hidden_cancellation(scope)),
                ..SurveyedWait::new(what, holders, deadline)
            });
        }
    }

    /// Notes for each task that waits in `start` which task it is starting.
    fn survey_starts(&self, all: &mut [SurveyedTask], place_of: &impl Fn(&Task) -> Option<usize>) {
        let starting: Vec<(usize, usize)> = {
            let is_starting = |task: &Task| task.eventual_parent_nursery().is_some();
            let children = all.iter().enumerate().filter(|(_, entry)| is_starting(&entry.task));
            children.filter_map(|(child, entry)| Some((child, place_of(&entry.task.parent()?)?))).collect()
        };
        for (child, caller) in starting {
            let waits = all[caller].waits.iter_mut();
            for wait in waits.filter(|wait| wait.what == START) {
                wait.holders.push(child);
            }
        }
    }

    fn survey_scopes(&self, all: &mut [SurveyedTask], place_of: &impl Fn(&Task) -> Option<usize>) {
        let scopes = self.scopes.nodes.borrow();
        let mut depths: HashMap<ScopeId, usize> = HashMap::new();
        let mut found = Vec::new();
        for (id, scope) in scopes.iter() {
            let task = scope.entered_by.and_then(|node| self.tree.task_of(node));
            if let Some(place) = task.as_ref().and_then(place_of) {
                // The depth of each scope is found once, however deep they nest.
                let mut path = Vec::new();
                let mut at = Some(id);
                while let Some(id) = at.filter(|id| !depths.contains_key(id)) {
                    path.push(id);
                    at = scopes.get(id).and_then(|scope| scope.parent);
                }
                let above = at.and_then(|id| depths.get(&id).copied()).unwrap_or(0);
                for (down, &id) in path.iter().rev().enumerate() {
                    depths.insert(id, above + down + 1);
                }
                found.push((place, depths[&id], scope));
            }
        }
        found.sort_by_key(|(place, depth, _)| (*place, *depth));
        for (place, _, scope) in found {
            all[place].scopes.push(SurveyedScope {
                deadline: scope.cell.absolute_deadline(),
                shielded: scope.cell.is_shielded(),
                cancelled: scope.visible.is_cancelled(),
                reason: scope.cell.reason().filter(|_| scope.visible.is_cancelled()),
            });
        }
    }
}

impl SurveyedWait {
    fn new(what: &'static str, holders: Vec<usize>, deadline: f64) -> SurveyedWait {
        SurveyedWait {
            what,
            stage: WaitStage::Blocked,
            ended_by: EndedBy::Tasks,
            holders,
            needs_all: false,
            details: String::new(),
            ends_at: None,
            deadline,
            hidden: None,
        }
    }
}

impl SurveyedTask {
    /// Whether the task has yet to go on by itself: it runs, or will run in the next tick.
    pub(crate) fn goes_on(&self) -> bool {
        matches!(self.state, TaskState::Running | TaskState::Runnable)
    }

    /// Whether it could go on and is not polled; or one of its futures is over and is not polled any more, while the
    /// task waits for something else.
    pub(crate) fn is_futurelocked(&self) -> bool {
        self.state == TaskState::NotPolled
            || !self.goes_on() && self.waits.iter().any(|wait| wait.stage == WaitStage::Over)
    }
}
