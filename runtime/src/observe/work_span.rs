//! Parts of a job in a worker thread, in recordings.

use crate::threads::{Noted, notes_of_this_job};

/// Something that goes on in a worker thread, made by [`work_span`]. Dropping it ends it.
#[must_use = "it ends when it is dropped"]
pub struct WorkSpan {
    _noted: Option<Noted>,
}

/// Marks what the code of a job in a worker thread does, until the value that is returned is dropped. It is shown
/// inside the job in the [trace](crate::observe::Timeline::trace_json) of a run that is
/// [recorded](crate::observe::Recorder). In other threads, and in a run that is not recorded, this does nothing, and
/// takes some nanoseconds.
///
/// ```
/// use terzetto::{Builder, observe::{Recorder, TraceTime, work_span}, to_thread};
/// let recorder = Recorder::new();
/// Builder::new().record(recorder.clone()).run(async {
///     to_thread::run_sync(|| {
///         let _span = work_span("hashing");
///     }).await
/// })?;
/// assert!(recorder.timeline().trace_json(TraceTime::Real).contains("hashing"));
/// # Ok::<(), terzetto::Error>(())
/// ```
pub fn work_span(name: &str) -> WorkSpan {
    WorkSpan { _noted: notes_of_this_job().map(|notes| notes.begin(name)) }
}
