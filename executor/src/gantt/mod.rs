//! A Gantt chart of a run: which work ran when, on which item, and how full the queues were.
//!
//! The numbers of a run say which work took the most time. The chart says when: a slow start, a work that waits for
//! another one, a queue that is full from the beginning to the end. [`GanttChart`] is the observer that records it.
//!
//! A run may have millions of calls. So there are two kinds of records (`record`): sums over a few hundred bins of
//! time, which become wider as the run goes on, and the longest calls. Neither grows without bound. `svg` and `html`
//! draw them, `trace` writes them for a viewer.

mod html;
mod record;
mod svg;
mod trace;

use std::{
    fs, io,
    path::Path,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use record::Record;

use crate::{
    graph::{ItemError, Key},
    run::{Observer, Statistics, WorkStatistics},
};

/// The observer that records a Gantt chart of a run.
///
/// With [`Options::gantt_chart`](crate::Options::gantt_chart) a run with a job's folder makes one by itself, and writes
/// it into that folder. To have it without a folder, give a clone of an `Arc` to the executor:
///
/// ```
/// use std::sync::Arc;
/// use terzetto_executor::{ExecutorAsync, Options, Topology, gantt::GanttChart};
///
/// let mut topology = Topology::new("squares");
/// let numbers = topology.queue::<u64>("numbers");
/// topology.source("count", &numbers, (1..=3).map(|n| (n.to_string(), n)));
/// topology.cpu("square", &numbers).each(|_, n| { let _ = n * n; Ok(()) });
/// let chart = Arc::new(GanttChart::new());
/// let mut executor = ExecutorAsync::new(topology, Options::new())?;
/// executor.observe(chart.clone());
/// terzetto::run(executor.run())?;
/// assert!(chart.svg().contains("square"));
/// # Ok::<(), terzetto::Error>(())
/// ```
///
/// # Cost
///
/// Recording takes some 0.2 µs for each call of a work. However long the run, the chart takes at most some 2 MB.
/// Works that are called with one item are recorded call by call. Sources and global works have only sums, and
/// [`ExecutorSequential`](crate::ExecutorSequential) tells nothing of queues.
#[derive(Debug)]
pub struct GanttChart {
    record: Mutex<Record>,
}

impl GanttChart {
    /// A chart without records. Its time begins now, and again when a run begins.
    pub fn new() -> GanttChart {
        GanttChart { record: Mutex::new(Record::new()) }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The run has ended: these are its last numbers.
    pub(crate) fn end(&self, elapsed: Duration, works: &[WorkStatistics]) {
        self.record().end(elapsed, works);
    }

    /// The chart as a picture (SVG). It suits a light and a dark page, and needs no other files.
    ///
    /// Each work has an area: how many of its calls ran at once. Up to 1,500 calls, each of them is a bar, too. Each
    /// queue has an area: how many items were in it. Time runs to the right, in seconds.
    pub fn svg(&self) -> String {
        svg::render(&self.record())
    }

    /// A page (HTML) with the [picture](GanttChart::svg) and a table of the works. It needs no other files.
    pub fn html(&self, title: &str) -> String {
        html::render(&self.record(), title)
    }

    /// The same for a viewer, in the JSON format of Chrome, which <https://ui.perfetto.dev> opens: a track for calls
    /// of each work that run at once, and a counter for each queue. If there were more than 10,000 calls, only the
    /// longest are there.
    pub fn trace_json(&self) -> String {
        trace::render(&self.record())
    }

    /// How many calls were recorded, and how many of them are only in the sums.
    pub fn calls(&self) -> (u64, u64) {
        let record = self.record();
        (record.calls.len() as u64 + record.left_out, record.left_out)
    }

    /// Writes `gantt.svg`, `gantt.html` and `gantt.json` (the trace) into a folder.
    ///
    /// # Errors
    /// The system's error.
    pub fn write_into(&self, folder: &Path, title: &str) -> io::Result<()> {
        fs::write(folder.join("gantt.svg"), self.svg())?;
        fs::write(folder.join("gantt.html"), self.html(title))?;
        fs::write(folder.join("gantt.json"), self.trace_json())
    }
}

impl Default for GanttChart {
    fn default() -> Self {
        GanttChart::new()
    }
}

impl Observer for GanttChart {
    fn began(&self, _job: Option<&Path>) {
        *self.record() = Record::new();
    }

    fn finished(&self, work: &str, key: &Key, elapsed: Duration, error: Option<&ItemError>) {
        self.record().add_call(work, key, elapsed, error.is_some());
    }

    fn statistics(&self, statistics: &Statistics) {
        self.record().add_statistics(statistics);
    }
}

/// Text in which the signs of markup are escaped.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
