//! Snapshots: the state of a run as JSON.

use crate::{
    core::{
        block::awaited::EndedBy,
        lowlevel::survey::{Survey, SurveyedScope, SurveyedTask, SurveyedWait, TaskState, WaitStage},
        run,
        run::Run,
    },
    observe::{
        Measures,
        json::{Number, OrNull, Text, list},
    },
};
use std::{fmt::Write, time::Instant};

/// The state of the current run as JSON, by the [schema](crate::observe#the-snapshot) of this module: its tasks, what
/// each waits for, who holds that, scopes with deadlines and cancellations, and, if they are
/// [measured](crate::Builder::measure_tasks), ages, steps and times.
///
/// It looks once at every task, and takes some microseconds for each.
///
/// # Panics
/// Outside a run.
///
/// ```
/// use terzetto::{nursery, observe::snapshot, sleep};
/// terzetto::run(async {
///     nursery(async |n| {
///         n.start_soon_named("sleeper", async { Ok(sleep(0.01).await?) });
///         let json = snapshot();
///         assert!(json.starts_with(r#"{"schema":"terzetto-snapshot-1","#));
///         assert!(json.contains(r#""name":"sleeper""#));
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn snapshot() -> String {
    of_run(&run::current())
}

/// The state of a run as JSON.
pub(super) fn of_run(run: &Run) -> String {
    let begun = Instant::now();
    let survey = run.survey();
    let outside = run.outside();
    let stuck = survey.stuck(!outside.is_empty());
    let next = run.deadlines.borrow().next().unwrap_or(f64::INFINITY);
    let mut json = String::with_capacity(256 * (survey.tasks.len() + 1));
    // Writing into a string cannot fail.
    let _ = write!(
        json,
        r#"{{"schema":"terzetto-snapshot-1","time":{},"tick":{},"next_deadline_in":{},"outside":"#,
        Number(survey.now),
        survey.tick,
        Number(next - survey.now)
    );
    list(&mut json, outside, |json, why| {
        let _ = write!(json, "{}", Text(why));
    });
    json.push_str(r#","cycles":"#);
    list(&mut json, survey.cycles(&stuck), |json, cycle| ids(json, &survey, &cycle));
    json.push_str(r#","tasks":"#);
    let measures = Measures::of(run);
    list(&mut json, survey.tasks.iter().zip(stuck), |json, (entry, stuck)| {
        write_task(json, &survey, entry, stuck, measures.as_deref());
    });
    // This takes its time, too.
    drop(survey);
    let _ = write!(json, r#","took":{}}}"#, Number(begun.elapsed().as_secs_f64()));
    json
}

/// The numbers of the tasks at these places.
fn ids(json: &mut String, survey: &Survey, places: &[usize]) {
    list(json, places, |json, &place| {
        let _ = write!(json, "{}", survey.tasks[place].task.id());
    });
}

/// Writes what is known of a task. `stuck` is whether nothing but a deadline or a cancellation can wake it.
pub(super) fn write_task(
    json: &mut String,
    survey: &Survey,
    entry: &SurveyedTask,
    stuck: bool,
    measures: Option<&Measures>,
) {
    let task = &entry.task;
    let _ = write!(json, r#"{{"id":{},"name":{},"started_at":"#, task.id(), Text(task.name()));
    let _ = match task.spawned_at() {
        Some(at) => write!(json, r#"{{"file":{},"line":{}}}"#, Text(at.file()), at.line()),
        None => write!(json, "null"),
    };
    let state = match entry.state {
        TaskState::Running => "running",
        TaskState::Runnable => "runnable",
        TaskState::NotPolled => "not-polled",
        TaskState::Blocked => "blocked",
        TaskState::EndOfNursery => "end-of-nursery",
        TaskState::Foreign => "foreign",
    };
    let _ = write!(
        json,
        r#","parent":{},"nursery":{},"state":"{state}","stuck":{stuck},"futurelocked":{},"waits":"#,
        OrNull(entry.parent.map(|parent| survey.tasks[parent].task.id())),
        OrNull(entry.nursery),
        entry.is_futurelocked(),
    );
    list(json, &entry.waits, |json, wait| write_wait(json, survey, wait));
    json.push_str(r#","scopes":"#);
    list(json, &entry.scopes, |json, scope| write_scope(json, survey, scope));
    let measure = measures.and_then(|measures| measures.get(task));
    let _ = write!(
        json,
        r#","age":{},"steps":{},"busy":{}}}"#,
        OrNull(measure.map(|measure| measure.age())),
        OrNull(measure.map(|measure| measure.steps)),
        OrNull(measure.map(|measure| measure.busy)),
    );
}

fn write_wait(json: &mut String, survey: &Survey, wait: &SurveyedWait) {
    let stage = match wait.stage {
        WaitStage::Blocked => "blocked",
        WaitStage::NotAbortable => "not-abortable",
        WaitStage::Over => "over",
    };
    let ended_by = match wait.ended_by {
        EndedBy::Tasks => "tasks",
        EndedBy::Time => "time",
        EndedBy::Descriptor => "descriptor",
        EndedBy::Thread => "thread",
        EndedBy::Signal => "signal",
        EndedBy::Foreign => "foreign",
    };
    let _ =
        write!(json, r#"{{"what":{},"stage":"{stage}","ended_by":"{ended_by}","holders":"#, Text(wait.what));
    ids(json, survey, &wait.holders);
    let _ = write!(
        json,
        r#","details":{},"ends_in":{},"deadline_in":{},"shielded_from":{}}}"#,
        OrNull(Some(Text(&wait.details)).filter(|_| !wait.details.is_empty())),
        OrNull(wait.ends_at.map(|at| Number(at - survey.now))),
        Number(wait.deadline - survey.now),
        OrNull(wait.hidden.as_ref().map(|reason| reason.to_string()).as_deref().map(Text)),
    );
}

fn write_scope(json: &mut String, survey: &Survey, scope: &SurveyedScope) {
    let _ = write!(
        json,
        r#"{{"deadline_in":{},"shielded":{},"cancelled":{},"reason":{}}}"#,
        Number(scope.deadline - survey.now),
        scope.shielded,
        scope.cancelled,
        OrNull(scope.reason.as_ref().map(|reason| reason.to_string()).as_deref().map(Text)),
    );
}
