//! Traces in the JSON format of Chrome ("Trace Event Format"), which Perfetto opens.

use crate::observe::{
    json::{Text, list},
    timeline::layout::{Layout, Moment, Row},
};
use std::{collections::HashMap, fmt::Write};

/// Which time a trace shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TraceTime {
    /// That of the machine's clock.
    Real,
    /// A logical time: a step that has no other inside is one millisecond, whatever it took. Under a mock clock a trace
    /// is the same each time.
    Logical,
}

impl TraceTime {
    /// In microseconds.
    fn of(self, moment: Moment) -> f64 {
        match self {
            TraceTime::Real => (moment.real * 1e9).round() / 1e3,
            TraceTime::Logical => (moment.place * 1e3).round(),
        }
    }
}

pub(super) fn write(layout: &Layout, time: TraceTime) -> String {
    let mut events: Vec<String> = Vec::new();
    events.push(
        r#"{"ph":"M","pid":1,"tid":0,"name":"process_name","args":{"name":"terzetto run"}}"#.to_owned(),
    );
    for (place, row) in layout.rows.iter().enumerate() {
        write_row(&mut events, place, row, time);
    }
    for (number, wake) in layout.wakes.iter().enumerate() {
        let Some(by) = wake.by else { continue };
        let (from, to) = (layout.rows[by].label.id, layout.rows[wake.row].label.id);
        let flow = |ph: &str, tid: u64, at: Moment| {
            format!(
                r#"{{"ph":{ph},"pid":1,"tid":{tid},"ts":{},"id":{number},"cat":"wake","name":"wake"}}"#,
                time.of(at)
            )
        };
        events.push(flow(r#""s""#, from, wake.from));
        events.push(flow(r#""f","bp":"e""#, to, wake.to));
    }
    for cancellation in &layout.cancellations {
        let by = cancellation.by.map_or("outside", |by| &layout.rows[by].label.name);
        events.push(format!(
            r#"{{"ph":"i","s":"t","pid":1,"tid":{},"ts":{},"cat":"cancellation","name":"cancelled","args":{{"reason":{},"by":{}}}}}"#,
            layout.rows[cancellation.row].label.id,
            time.of(cancellation.at),
            Text(&cancellation.reason),
            Text(by)
        ));
    }
    // Threads have real times only.
    if time == TraceTime::Real {
        write_threads(&mut events, layout);
    }
    let mut json = String::from(r#"{"displayTimeUnit":"ms","traceEvents":"#);
    list(&mut json, events, |json, event| {
        json.push('\n');
        json.push_str(&event);
    });
    json.push_str("}\n");
    json
}

fn write_row(events: &mut Vec<String>, place: usize, row: &Row, time: TraceTime) {
    let id = row.label.id;
    let indented = format!("{:1$}{2}", "", 2 * row.depth, row.label.name);
    events.push(format!(
        r#"{{"ph":"M","pid":1,"tid":{id},"name":"thread_name","args":{{"name":{}}}}}"#,
        Text(&indented)
    ));
    events.push(format!(
        r#"{{"ph":"M","pid":1,"tid":{id},"name":"thread_sort_index","args":{{"sort_index":{place}}}}}"#
    ));
    let mut span = |category: &str, name: &str, from: Moment, to: Moment| {
        let mut text = String::new();
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            r#"{{"ph":"X","pid":1,"tid":{id},"ts":{},"dur":{},"cat":"{category}","name":{},"args":{{"task":{}}}}}"#,
            time.of(from),
            time.of(to) - time.of(from),
            Text(name),
            Text(&row.label.in_full())
        );
        events.push(text);
    };
    for step in &row.steps {
        span("step", "step", step.from, step.to);
    }
    for pause in row.pauses.iter().filter(|pause| !pause.what.is_empty()) {
        span("wait", &pause.what.join(", "), pause.from, pause.to);
    }
}

/// A track for each worker thread, in a group of their own: a task and a thread may have the same number.
fn write_threads(events: &mut Vec<String>, layout: &Layout) {
    let Some(count) = layout.jobs.iter().map(|job| job.thread + 1).max() else { return };
    events.push(
        r#"{"ph":"M","pid":2,"tid":0,"name":"process_name","args":{"name":"worker threads"}}"#.to_owned(),
    );
    for thread in 0..count {
        events.push(format!(
            r#"{{"ph":"M","pid":2,"tid":{thread},"name":"thread_name","args":{{"name":"worker {}"}}}}"#,
            thread + 1
        ));
    }
    let names: HashMap<u64, String> =
        layout.rows.iter().map(|row| (row.label.id, row.label.in_full())).collect();
    let micros = |seconds: f64| (seconds * 1e9).round() / 1e3;
    for job in &layout.jobs {
        let task = job.task.and_then(|id| names.get(&id)).map_or("", String::as_str);
        events.push(format!(
            r#"{{"ph":"X","pid":2,"tid":{},"ts":{},"dur":{},"cat":"job","name":{},"args":{{"task":{}}}}}"#,
            job.thread,
            micros(job.from),
            micros(job.to - job.from),
            Text(&job.name),
            Text(task)
        ));
    }
}
