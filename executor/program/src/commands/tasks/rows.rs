//! The tree of tasks as rows of a screen: folded, grouped and sorted.

use std::collections::{HashMap, HashSet};

use super::snapshot::{Snapshot, TaskState};

/// From so many equal siblings on, one row stands for all of them.
const GROUPED: usize = 4;

/// In which order siblings come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// The oldest first.
    #[default]
    Start,
    /// Those that have taken most of the time first.
    Busy,
    /// Those that are stuck or cancelled first.
    Trouble,
}

impl Order {
    pub fn next(self) -> Order {
        match self {
            Order::Start => Order::Busy,
            Order::Busy => Order::Trouble,
            Order::Trouble => Order::Start,
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Order::Start => "start",
            Order::Busy => "time used",
            Order::Trouble => "trouble",
        }
    }
}

/// A row: a task, or the first of several equal ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// The place of the task in the snapshot.
    pub task: usize,
    pub depth: usize,
    /// How many equal siblings it stands for.
    pub count: usize,
    /// Whether it has rows below it that are hidden. `None` if there is nothing to fold.
    pub folded: Option<bool>,
}

/// What the user has folded, opened and sorted.
#[derive(Debug, Default)]
pub struct Folding {
    /// Tasks whose children are hidden.
    pub folded: HashSet<u64>,
    /// The first tasks of groups that are shown one by one.
    pub opened: HashSet<u64>,
    pub order: Order,
}

/// Two siblings with equal keys are shown as one. A task with children has none.
type Key<'a> = (&'a str, Option<(&'a str, u32)>, &'a str, Vec<&'a str>, bool);

fn key_of(task: &TaskState) -> Key<'_> {
    let place = task.started_at.as_ref().map(|place| (place.file.as_str(), place.line));
    let waits = task.waits.iter().map(|wait| wait.what.as_str()).collect();
    (&task.name, place, &task.state, waits, task.stuck || task.is_cancelled())
}

/// The rows of a snapshot, from top to bottom.
pub fn rows(snapshot: &Snapshot, folding: &Folding) -> Vec<Row> {
    let tasks = &snapshot.tasks;
    let places: HashMap<u64, usize> =
        tasks.iter().enumerate().map(|(place, task)| (task.id, place)).collect();
    let mut children: Vec<Vec<usize>> = vec![Vec::new(); tasks.len()];
    let mut roots = Vec::new();
    for (place, task) in tasks.iter().enumerate() {
        match task.parent.and_then(|parent| places.get(&parent)) {
            Some(&parent) => children[parent].push(place),
            None => roots.push(place),
        }
    }
    let mut all = Vec::new();
    // A list instead of recursion, since nurseries nest deep. The last entry is the next row.
    let mut todo = siblings(tasks, &children, roots, 0, folding);
    while let Some(row) = todo.pop() {
        all.push(row);
        let below = &children[row.task];
        if row.folded == Some(false) && row.count == 1 && !below.is_empty() {
            todo.extend(siblings(tasks, &children, below.clone(), row.depth + 1, folding));
        }
    }
    all
}

/// The rows of siblings, the last one first.
fn siblings(
    tasks: &[TaskState],
    children: &[Vec<usize>],
    mut places: Vec<usize>,
    depth: usize,
    folding: &Folding,
) -> Vec<Row> {
    match folding.order {
        Order::Start => {}
        Order::Busy => places.sort_by(|&a, &b| {
            let busy = |place: usize| tasks[place].busy.unwrap_or(0.0);
            busy(b).total_cmp(&busy(a))
        }),
        Order::Trouble => {
            places.sort_by_key(|&place| !(tasks[place].stuck || tasks[place].is_cancelled()));
        }
    }
    let mut groups: HashMap<Key<'_>, Vec<usize>> = HashMap::new();
    for &place in places.iter().filter(|&&place| children[place].is_empty()) {
        groups.entry(key_of(&tasks[place])).or_default().push(place);
    }
    let mut rows = Vec::new();
    for place in places {
        let task = &tasks[place];
        let group = match children[place].is_empty() {
            true => groups.get(&key_of(task)).filter(|group| group.len() >= GROUPED),
            false => None,
        };
        let row = |count, folded| Row { task: place, depth, count, folded };
        match group {
            Some(group) if folding.opened.contains(&tasks[group[0]].id) => {
                // The first can be folded again.
                rows.push(row(1, (group[0] == place).then_some(false)));
            }
            Some(group) if group[0] == place => rows.push(row(group.len(), Some(true))),
            Some(_) => {}
            None if children[place].is_empty() => rows.push(row(1, None)),
            None => rows.push(row(1, Some(folding.folded.contains(&task.id)))),
        }
    }
    rows.reverse();
    rows
}

#[cfg(test)]
pub mod tests {
    use super::{Folding, Order, Row, rows};
    use crate::commands::tasks::snapshot::Snapshot;

    /// A snapshot of tasks: a number, the parent's number, a name, and the seconds that it has used.
    pub fn snapshot(tasks: &[(u64, Option<u64>, &str, f64)]) -> Snapshot {
        let tasks: Vec<String> = tasks
            .iter()
            .map(|(id, parent, name, busy)| {
                let parent = parent.map_or("null".to_owned(), |parent| parent.to_string());
                format!(
                    r#"{{"id":{id},"name":"{name}","started_at":null,"parent":{parent},"nursery":null,"state":"blocked",
                    "stuck":{},"futurelocked":false,"waits":[{{"what":"sleeping","stage":"blocked","ended_by":"time",
                    "holders":[],"details":null,"ends_in":1.5,"deadline_in":null,"shielded_from":null}}],
                    "scopes":[],"age":2.0,"steps":3,"busy":{busy}}}"#,
                    *name == "stuck"
                )
            })
            .collect();
        let json = format!(
            r#"{{"schema":"terzetto-snapshot-1","time":1,"tick":7,"next_deadline_in":1.5,"outside":[],"cycles":[],
            "took":0.001,"tasks":[{}]}}"#,
            tasks.join(",")
        );
        Snapshot::parse(&json).unwrap()
    }

    /// The rows as texts: indented names, numbers of tasks, and `+` for what is folded.
    fn drawn(snapshot: &Snapshot, folding: &Folding) -> Vec<String> {
        let text = |row: &Row| {
            let name = &snapshot.tasks[row.task].name;
            let count = if row.count > 1 { format!(" ×{}", row.count) } else { String::new() };
            let sign = if row.folded == Some(true) { " +" } else { "" };
            format!("{}{name}{count}{sign}", "  ".repeat(row.depth))
        };
        rows(snapshot, folding).iter().map(text).collect()
    }

    #[test]
    fn tasks_nest_and_fold() {
        let snapshot = snapshot(&[
            (2, None, "main", 0.0),
            (3, Some(2), "a", 0.0),
            (4, Some(3), "b", 0.0),
            (5, Some(2), "c", 0.0),
        ]);
        let mut folding = Folding::default();
        assert_eq!(drawn(&snapshot, &folding), ["main", "  a", "    b", "  c"]);
        folding.folded.insert(3);
        assert_eq!(drawn(&snapshot, &folding), ["main", "  a +", "  c"]);
    }

    #[test]
    fn equal_siblings_are_one_row_that_opens() {
        let mut tasks = vec![(2, None, "main", 0.0), (3, Some(2), "other", 0.0)];
        tasks.extend((4..9).map(|id| (id, Some(2), "worker", 0.0)));
        let snapshot = snapshot(&tasks);
        let mut folding = Folding::default();
        assert_eq!(drawn(&snapshot, &folding), ["main", "  other", "  worker ×5 +"]);
        folding.opened.insert(4);
        assert_eq!(drawn(&snapshot, &folding).len(), 7);
    }

    #[test]
    fn siblings_are_sorted() {
        let snapshot = snapshot(&[
            (2, None, "main", 0.0),
            (3, Some(2), "quick", 0.1),
            (4, Some(2), "slow", 5.0),
            (5, Some(2), "stuck", 0.0),
        ]);
        let mut folding = Folding { order: Order::Busy, ..Folding::default() };
        assert_eq!(drawn(&snapshot, &folding), ["main", "  slow", "  quick", "  stuck"]);
        folding.order = Order::Trouble;
        assert_eq!(drawn(&snapshot, &folding)[1], "  stuck");
    }

    #[test]
    fn a_deep_tree_is_no_problem() {
        let tasks: Vec<_> = (2..20_002).map(|id| (id, (id > 2).then_some(id - 1), "deep", 0.0)).collect();
        assert_eq!(rows(&snapshot(&tasks), &Folding::default()).len(), 20_000);
    }
}
