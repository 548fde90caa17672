//! Which tasks of a [survey](super::survey) nothing but a deadline or a cancellation can wake, and who waits for whom in
//! a circle.
//!
//! A task is *alive* if it runs, is runnable, or waits for something outside: a time, a descriptor, a thread, a signal, a
//! foreign future. A blocked task can go on if the task that holds what it waits for can go on. At the end of a nursery
//! all of the nursery's tasks must be able to. If nobody knows who could end a wait (who will set an event?), any task
//! that is alive could, and so could a token. All other tasks are stuck. This is computed from the tasks that are alive
//! upwards, so two tasks that wait for each other are stuck, however long a chain leads to them.

use crate::core::{
    block::awaited::EndedBy,
    lowlevel::survey::{Survey, SurveyedWait, TaskState, WaitStage},
};

/// At most this many circles are looked for.
const MOST_CYCLES: usize = 5;

impl SurveyedWait {
    /// Whether something outside ends the wait.
    fn is_ended_outside(&self) -> bool {
        self.stage == WaitStage::Blocked && self.ended_by != EndedBy::Tasks
    }

    /// Whether code of the run ends the wait, but nobody knows which.
    fn is_ended_by_anybody(&self) -> bool {
        self.stage != WaitStage::Over && self.ended_by == EndedBy::Tasks && self.holders.is_empty()
    }
}

impl Survey {
    /// For each task whether nothing but a deadline or a cancellation can wake it. `outside` says whether something
    /// outside may call into the run. A task that is running does not count as one that may wake others, except those
    /// for whom it is known to hold something.
    pub(crate) fn stuck(&self, outside: bool) -> Vec<bool> {
        let is_alive = |place: &usize| {
            let entry = &self.tasks[*place];
            entry.goes_on() || entry.waits.iter().any(SurveyedWait::is_ended_outside)
        };
        let places = 0..self.tasks.len();
        let anybody =
            outside || places.clone().any(|p| is_alive(&p) && self.tasks[p].state != TaskState::Running);
        let mut can_go_on = vec![false; self.tasks.len()];
        let mut todo: Vec<usize> = places.clone().filter(is_alive).collect();
        // For each task the waits that it may help to end, with the number of tasks that have to help.
        let mut helps: Vec<Vec<usize>> = vec![Vec::new(); self.tasks.len()];
        let mut waits: Vec<(usize, usize)> = Vec::new();
        for place in places {
            for wait in &self.tasks[place].waits {
                if anybody && wait.is_ended_by_anybody() {
                    todo.push(place);
                }
                let needed = if wait.needs_all { wait.holders.len() } else { 1 };
                wait.holders.iter().for_each(|&holder| helps[holder].push(waits.len()));
                waits.push((place, needed));
            }
        }
        while let Some(place) = todo.pop() {
            if std::mem::replace(&mut can_go_on[place], true) {
                continue;
            }
            for &wait in &helps[place] {
                let (waiting, needed) = &mut waits[wait];
                *needed -= 1;
                if *needed == 0 {
                    todo.push(*waiting);
                }
            }
        }
        can_go_on.into_iter().map(|goes_on| !goes_on).collect()
    }

    /// Circles of stuck tasks, each of which waits for the next one.
    pub(crate) fn cycles(&self, stuck: &[bool]) -> Vec<Vec<usize>> {
        let next = |place: usize| {
            let holders = self.tasks[place].waits.iter().flat_map(|wait| &wait.holders);
            holders.copied().filter(|&holder| stuck[holder])
        };
        let mut cycles = Vec::new();
        let mut seen = vec![false; self.tasks.len()];
        for start in (0..self.tasks.len()).filter(|&place| stuck[place]) {
            if std::mem::replace(&mut seen[start], true) {
                continue;
            }
            // The tasks on the way, each with those that it waits for and that are still to be visited.
            let mut path = vec![(start, next(start))];
            let mut on_path = vec![start];
            while let Some((_, left)) = path.last_mut() {
                let Some(holder) = left.next() else {
                    path.pop();
                    on_path.pop();
                    continue;
                };
                if let Some(from) = on_path.iter().position(|&place| place == holder) {
                    cycles.push(on_path[from..].to_vec());
                    if cycles.len() == MOST_CYCLES {
                        return cycles;
                    }
                } else if !std::mem::replace(&mut seen[holder], true) {
                    path.push((holder, next(holder)));
                    on_path.push(holder);
                }
            }
        }
        cycles
    }
}
