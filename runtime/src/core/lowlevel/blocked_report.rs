//! The report of blocked tasks: what each waits for, who could end that, and which tasks nothing but a deadline can
//! wake.

use crate::core::{
    block::operation::START,
    lowlevel::survey::{END_OF_NURSERY, Survey, SurveyedTask, SurveyedWait, TaskState, WaitStage},
    run,
    task::handle::InFull,
};
use std::{
    collections::HashMap,
    fmt::{self, Display, Write},
};

/// At most this many different lines are written.
const MOST_LINES: usize = 60;
/// If more tasks than this go on, none of them is named.
const MOST_NAMES: usize = 5;
/// At most this many holders are named in one line.
const MOST_HOLDERS: usize = 5;

/// What each blocked task of the run waits for, who could end that, and which tasks nothing but a deadline can wake. It
/// helps to find out why a program hangs, also while some of its tasks still go on.
///
/// - Tasks that wait for each other in a circle are drawn as a circle. For a lock the owner is known, for a limiter the
///   borrowers, for the end of a nursery its tasks. For a channel the report says how many ends are open, and where
///   they were made.
/// - A task is *stuck* if no running task and nothing outside the run is known to be able to wake it: only a deadline or
///   a cancellation can. (A pending deadline keeps a run from being a [deadlock](crate::Deadlock), so it would hide such
///   tasks.) The task that asks is left aside: the report cannot know whether it means to wake others.
/// - A task may wait while another future of its own is over and is not polled any more. The report calls this a
///   *futurelock*: what that future holds is not released. The same holds of a task that could go on, if the future of
///   its nursery is kept and not polled.
///
/// It looks once at every task, and takes about a microsecond for each.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{blocked_report, fail_after, nursery, sync::Lock, testing::wait_all_tasks_blocked};
/// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
/// let (left, right) = (Lock::new(), Lock::new());
/// let both = async |first: &Lock, second: &Lock| {
///     let _first = first.acquire().await?;
///     terzetto::checkpoint().await?;
///     let _second = second.acquire().await?;
///     Ok(())
/// };
/// let outcome = fail_after(5.0, nursery(async |n| {
///     n.start_soon_named("adam", both(&left, &right));
///     n.start_soon_named("eve", both(&right, &left));
///     wait_all_tasks_blocked(0.0).await?;
///     let report = blocked_report();
///     assert!(report.contains("task adam is waiting for a lock, held by"), "{report}");
///     Ok(())
/// })).await;
/// assert!(outcome.is_err());
/// # Ok(())
/// # }).unwrap();
/// ```
pub fn blocked_report() -> String {
    let run = run::current();
    let survey = run.survey();
    let outside = run.outside();
    let stuck = survey.stuck(!outside.is_empty());
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write_on_demand(&mut text, &survey, &stuck, &outside);
    text
}

fn write_on_demand(
    to: &mut String,
    survey: &Survey,
    stuck: &[bool],
    outside: &[&'static str],
) -> fmt::Result {
    let count =
        |chosen: &dyn Fn(usize) -> bool| (0..survey.tasks.len()).filter(|&place| chosen(place)).count();
    let stuck_count = count(&|place| stuck[place]);
    let going_on = count(&|place| survey.tasks[place].goes_on());
    write!(to, "{}, {going_on} of them running or runnable", Count(survey.tasks.len(), "task"))?;
    match stuck_count {
        0 if going_on == survey.tasks.len() => writeln!(to)?,
        0 => writeln!(to, "; each of the others may still be woken")?,
        n => writeln!(to, ", {n} stuck: nothing but a deadline or a cancellation can wake them")?,
    }
    if (1..=MOST_NAMES).contains(&going_on) {
        let names = Names::of(survey);
        let going_on = survey.tasks.iter().filter(|entry| entry.goes_on()).map(|entry| names.short(entry));
        writeln!(to, "running or runnable: {}", going_on.collect::<Vec<_>>().join(", "))?;
    }
    for why in outside {
        writeln!(to, "the run may also be woken from outside: {why}")?;
    }
    write_body(to, survey, stuck)
}

/// The report of a run that nothing can wake.
pub(crate) fn of_deadlock(survey: &Survey, clock_stands_still: bool) -> String {
    let stuck = vec![true; survey.tasks.len()];
    let mut text = String::from("deadlock: ");
    let _ = match survey.tasks.len() {
        1 => writeln!(text, "the only task is blocked, and nothing that exists can wake it"),
        n => writeln!(text, "all {n} tasks are blocked, and nothing that exists can wake any of them"),
    };
    if clock_stands_still {
        let _ = writeln!(
            text,
            "a task waits for a time, but the clock stands still at {:.3} s, and nobody moves it \
             (`MockClock::autojump` makes a clock that jumps to the next deadline)",
            survey.now
        );
    }
    let _ = write_body(&mut text, survey, &stuck);
    text.truncate(text.trim_end().len());
    text
}

/// A number of things.
struct Count(usize, &'static str);

impl Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Count(count, what) = self;
        write!(f, "{count} {what}{}", if *count == 1 { "" } else { "s" })
    }
}

fn write_body(to: &mut String, survey: &Survey, stuck: &[bool]) -> fmt::Result {
    let names = Names::of(survey);
    for cycle in survey.cycles(stuck) {
        write_cycle(to, survey, &names, &cycle)?;
    }
    for entry in survey.tasks.iter().filter(|entry| entry.is_futurelocked()) {
        let name = names.short(entry);
        match entry.kept_by.map(|keeper| names.short(&survey.tasks[keeper])) {
            Some(keeper) => writeln!(
                to,
                "futurelock: task {name} could go on, but task {keeper} keeps the future of a nursery around it and \
                 does not poll it any more, while it waits for something else; what task {name} holds is not released \
                 (poll the nursery to its end, or drop it)"
            )?,
            None => writeln!(
                to,
                "futurelock: task {name} has a future that could go on, and does not poll it any more, while it waits \
                 for something else; what that future holds is not released (poll it to its end, or drop it)"
            )?,
        }
    }
    // A task that goes on may be blocked in another branch of it.
    let blocked = survey.tasks.iter().enumerate().filter(|(_, entry)| is_told_of(entry));
    let mut lines: Vec<(String, usize)> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, entry) in blocked {
        let line = line_of(survey, &names, entry, stuck[place]);
        match places.get(&line) {
            Some(&at) => lines[at].1 += 1,
            None => {
                places.insert(line.clone(), lines.len());
                lines.push((line, 1));
            }
        }
    }
    for (line, count) in lines.iter().take(MOST_LINES) {
        match count {
            1 => writeln!(to, "- {line}")?,
            _ => writeln!(to, "- {line} ×{count}")?,
        }
    }
    match lines.len().saturating_sub(MOST_LINES) {
        0 => Ok(()),
        left => writeln!(to, "… and {left} more"),
    }
}

/// Draws a circle of tasks, each of which waits for the next one.
fn write_cycle(to: &mut String, survey: &Survey, names: &Names, cycle: &[usize]) -> fmt::Result {
    for (number, &place) in cycle.iter().enumerate() {
        let next = cycle[(number + 1) % cycle.len()];
        let entry = &survey.tasks[place];
        let wait = entry.waits.iter().find(|wait| wait.holders.contains(&next));
        let what = wait.map_or("waiting", |wait| wait.what);
        let how = match what {
            END_OF_NURSERY => "in which is",
            START => "which is",
            _ => "held by",
        };
        let edge = if number == 0 { "┌─>" } else { "│  " };
        writeln!(to, "  {edge} task {} is {what}, {how}", names.short(entry))?;
    }
    writeln!(to, "  └── task {}", names.short(&survey.tasks[cycle[0]]))
}

/// The waits of a task that are worth telling. If it goes on, or could, those that are over are not.
fn told_of(entry: &SurveyedTask) -> impl Iterator<Item = &SurveyedWait> {
    let goes_on = entry.goes_on() || entry.state == TaskState::NotPolled;
    entry.waits.iter().filter(move |wait| !goes_on || wait.stage != WaitStage::Over)
}

/// Whether a task has a line.
fn is_told_of(entry: &SurveyedTask) -> bool {
    entry.state == TaskState::NotPolled || told_of(entry).next().is_some()
}

/// What a line says about a task: who it is, what it waits for, and what could end that.
fn line_of(survey: &Survey, names: &Names, entry: &SurveyedTask, stuck: bool) -> String {
    let mut line = format!("task {}", InFull(&entry.task));
    if names.is_ambiguous(entry) && entry.waits.iter().any(|wait| !wait.holders.is_empty()) {
        let _ = write!(line, " #{}", entry.task.id());
    }
    match entry.state {
        TaskState::Running => line.push_str(", running in one of its futures"),
        TaskState::NotPolled => line.push_str(", about to go on, but its nursery is not polled"),
        _ => {}
    }
    for wait in told_of(entry) {
        let _ = write_wait(&mut line, survey, names, wait, stuck);
    }
    line
}

fn write_wait(
    to: &mut String,
    survey: &Survey,
    names: &Names,
    wait: &SurveyedWait,
    stuck: bool,
) -> fmt::Result {
    write!(to, ", {}", wait.what)?;
    if wait.stage == WaitStage::Over {
        to.push_str(", but not polled");
    }
    if !wait.details.is_empty() {
        write!(to, " ({})", wait.details)?;
    }
    if !wait.holders.is_empty() {
        to.push_str(match wait.what {
            END_OF_NURSERY | START => ": ",
            _ => ", held by ",
        });
        for (number, &holder) in wait.holders.iter().take(MOST_HOLDERS).enumerate() {
            write!(to, "{}task {}", if number == 0 { "" } else { ", " }, names.short(&survey.tasks[holder]))?;
        }
        if wait.holders.len() > MOST_HOLDERS {
            write!(to, " and {} more", wait.holders.len() - MOST_HOLDERS)?;
        }
    }
    if let Some(at) = wait.ends_at {
        write!(to, " (until {:.3} s from now)", at - survey.now)?;
    }
    if let Some(reason) = &wait.hidden {
        write!(to, " (in a shield; outside: {reason})")?;
    }
    if stuck && wait.deadline.is_finite() {
        write!(to, " (a deadline in {:.3} s cancels it)", wait.deadline - survey.now)?;
    }
    Ok(())
}

/// What tasks are called in a report. A number is added if several have the same name.
struct Names {
    /// How many tasks have each name.
    counts: HashMap<String, usize>,
}

impl Names {
    fn of(survey: &Survey) -> Names {
        let mut counts = HashMap::new();
        for entry in &survey.tasks {
            *counts.entry(entry.task.to_string()).or_default() += 1;
        }
        Names { counts }
    }

    fn is_ambiguous(&self, entry: &SurveyedTask) -> bool {
        self.counts.get(&entry.task.to_string()).is_some_and(|&count| count > 1)
    }

    fn short(&self, entry: &SurveyedTask) -> String {
        match self.is_ambiguous(entry) {
            true => format!("{} #{}", entry.task, entry.task.id()),
            false => entry.task.to_string(),
        }
    }
}
