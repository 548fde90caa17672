//! The tree of a run's tasks as text, for a person to read.

use crate::core::{run, run::Run, task::handle::Task};
use std::{collections::HashMap, fmt::Write, rc::Rc};

/// The tree of the run's tasks as text. For each task it shows the name, where the task was started, what the task is
/// blocked in, and those of its scopes that have a deadline, a shield or a cancellation. It helps to find out why a
/// program hangs.
///
/// If several tasks of a nursery have the same text, and the same tasks below them, they are shown as one line, with
/// their number: `×100`. Their deadlines may differ. Then the line shows the deadline of the oldest task.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{nursery, sleep, task_tree};
/// terzetto::run(async {
///     nursery(async |n| {
///         n.start_soon_named("sleeper", async { Ok(sleep(0.01).await?) });
///         assert!(task_tree().contains("sleeper"));
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn task_tree() -> String {
    let run = run::current();
    let now = run.clock.now();
    let lines = all_lines(&run, now);
    let kinds = Kinds::of(&lines);
    let mut text = String::new();
    // This is a loop with its own stack, since nurseries may nest deeper than a thread's stack allows.
    let mut todo: Vec<(usize, usize, usize)> =
        kinds.counted(&lines[0].below).map(|(line, n)| (0, line, n)).collect();
    todo.reverse();
    while let Some((depth, line, count)) = todo.pop() {
        // Writing into a string cannot fail.
        let _ = write!(text, "{:1$}{2}", "", 2 * depth, lines[line].text);
        if count > 1 {
            let _ = write!(text, " ×{count}");
        }
        text.push('\n');
        let first = todo.len();
        todo.extend(kinds.counted(&lines[line].below).map(|(line, count)| (depth + 1, line, count)));
        todo[first..].reverse();
    }
    text
}

/// A line of the tree: a task or a nursery.
#[derive(Default)]
struct Line {
    text: String,
    /// The text without the parts that may differ between equal tasks.
    in_general: String,
    /// The indices of the lines directly below this one.
    below: Vec<usize>,
}

/// All lines of the tree. The first is an empty line above all others. Each line comes before the lines below it.
fn all_lines(run: &Rc<Run>, now: f64) -> Vec<Line> {
    let mut lines = vec![Line::default()];
    // The tasks whose lines are still to be made, each with the index of the line above it.
    let mut todo: Vec<(usize, Task)> = run.root_tasks().into_iter().map(|task| (0, task)).collect();
    todo.reverse();
    while let Some((above, task)) = todo.pop() {
        let place = lines.len();
        lines[above].below.push(place);
        let (text, in_general) = line_of(run, &task, now);
        lines.push(Line { text, in_general, below: Vec::new() });
        for tasks in task.child_nurseries() {
            let nursery = lines.len();
            lines[place].below.push(nursery);
            lines.push(Line { text: "nursery".to_owned(), ..Line::default() });
            todo.extend(tasks.into_iter().rev().map(|task| (nursery, task)));
        }
    }
    lines
}

/// The text of a task's line, and the part of it that equal tasks have in common.
fn line_of(run: &Run, task: &Task, now: f64) -> (String, String) {
    let mut text = task.name().to_owned();
    if let Some(at) = task.spawned_at() {
        let _ = write!(text, " (started at {}:{})", at.file(), at.line());
    }
    for what in run.blocked_in(task) {
        let _ = write!(text, ", {what}");
    }
    let mut in_general = text.clone();
    for scope in run.scopes.entered_by(|node| run.tree.task_of(node).as_ref() == Some(task)) {
        // Seen from infinity, all deadlines are equally far away.
        for (text, now) in [(&mut text, now), (&mut in_general, f64::INFINITY)] {
            let said = scope.describe(now);
            if !said.is_empty() {
                let _ = write!(text, " [scope: {said}]");
            }
        }
    }
    (text, in_general)
}

/// The kinds of lines. Two lines are of one kind if they have the same common text, and the same kinds of lines below
/// them.
struct Kinds {
    /// The kind of each line, by the index of the line.
    of_line: Vec<usize>,
}

impl Kinds {
    fn of(lines: &[Line]) -> Kinds {
        let mut known = HashMap::new();
        let mut of_line = vec![0; lines.len()];
        // Lines are taken from last to first, so the kinds of the lines below a line are known.
        for (place, line) in lines.iter().enumerate().rev() {
            let below: Vec<usize> = line.below.iter().map(|&below| of_line[below]).collect();
            let next = known.len();
            of_line[place] = *known.entry((&line.in_general, below)).or_insert(next);
        }
        Kinds { of_line }
    }

    /// The first line of each kind, and the number of lines of that kind.
    fn counted(&self, lines: &[usize]) -> impl Iterator<Item = (usize, usize)> + use<> {
        let mut places = HashMap::new();
        let mut counted: Vec<(usize, usize)> = Vec::new();
        for &line in lines {
            let place = *places.entry(self.of_line[line]).or_insert(counted.len());
            match counted.get_mut(place) {
                Some((_, count)) => *count += 1,
                None => counted.push((line, 1)),
            }
        }
        counted.into_iter()
    }
}
