//! Timelines: what the tasks of a run did, step by step.
//!
//! A [`Recorder`] is an instrument that notes events. A [`Timeline`] is made of them when somebody asks. It can be
//! written as a trace for a viewer, as a picture, and as a page. The picture has no time in seconds along its axis, but
//! one step after the other. So what matters for understanding is wide, and a run under a mock clock gives the same
//! picture each time.

mod event;
mod html;
mod layout;
mod recorder;
mod svg;
mod trace;

pub use recorder::Recorder;
pub use trace::TraceTime;

use layout::Layout;

/// What the tasks of a run did, made by [`Recorder::timeline`]. As a [picture](Timeline::svg) it looks like this:
///
#[doc = include_str!("../../../docs/timeline.svg")]
///
/// ```
/// use terzetto::{Builder, channel, nursery, observe::Recorder, testing::MockClock};
/// let recorder = Recorder::new();
/// Builder::new().clock(MockClock::autojump()).record(recorder.clone()).run(nursery(async |n| {
///     let (sender, receiver) = channel(0);
///     n.start_soon_named("sender", async move { Ok(sender.send(7).await?) });
///     n.start_soon_named("receiver", async move { Ok(receiver.receive().await.map(drop)?) });
///     Ok(())
/// }))?;
/// let svg = recorder.timeline().svg();
/// assert!(svg.starts_with("<svg ") && svg.contains("sending to a channel"));
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Debug)]
pub struct Timeline {
    layout: Layout,
}

impl Timeline {
    /// How many steps of tasks it shows.
    pub fn steps(&self) -> usize {
        self.layout.rows.iter().map(|row| row.steps.len()).sum()
    }

    /// As a trace in the JSON format of Chrome, which <https://ui.perfetto.dev> opens. Each task has a track, named and
    /// sorted as nurseries are nested, with its steps and waits. Arrows lead from the step that wakes a task to the step
    /// that follows. Cancellations are marks with their reason. In [real time](TraceTime::Real) each worker thread has a
    /// track, too, with its jobs and [their parts](crate::observe::work_span). If the recorder keeps the last so many
    /// events, it also keeps the last so many jobs.
    pub fn trace_json(&self, time: TraceTime) -> String {
        trace::write(&self.layout, time)
    }

    /// As a picture (SVG), for a run of at most some hundred steps. It suits a light and a dark page, and has no links,
    /// scripts or fonts of its own.
    ///
    /// Each task has a row. A block is a step. The line between two blocks is a wait, with its reason. An arrow is a
    /// wake: it leads from the step that has woken the task. A ring is a wake from outside the tasks: by a deadline, a
    /// descriptor, another thread. A cross is a cancellation. The pale columns are ticks. Where the clock has moved, the
    /// new time is written above.
    pub fn svg(&self) -> String {
        svg::write(&self.layout)
    }

    /// As a page (HTML) with the [picture](Timeline::svg), and a table of the tasks. The page needs no other files.
    pub fn html(&self, title: &str) -> String {
        html::write(&self.layout, title)
    }
}
