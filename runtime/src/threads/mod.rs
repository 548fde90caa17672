//! Work in threads, and calls from threads.
//!
//! [`to_thread`] sends a function to a worker thread, if the function would block the loop or use a processor for
//! long. [`from_thread`] calls back from there. These modules are in between:
//!
//! - `workers`: the threads, which stay for a while when they have nothing to do.
//! - `pool`: which thread does which job, and which thread is woken for it.
//! - `name`: the names of the threads.
//! - `job`: a function on its way to a worker, and its result on the way back.
//! - `job_log`: which job was in which thread, if somebody records the run.
//! - `start_soon`: a function for a worker that belongs to no run.
//! - `simulated`: jobs of a test, one at a time, on the run's clock.
//! - `jobs`: what the loop knows of the running jobs. Each job holds a token of its limiter until its thread is
//!   really done. The messages of a job find the task that waits for it here.

pub mod from_thread;
mod job;
#[cfg_attr(not(feature = "observe"), allow(dead_code, reason = "only recordings ask for a log"))]
mod job_log;
mod job_table;
mod name;
mod pool;
mod simulated;
pub(crate) mod start_soon;
pub mod to_thread;
mod waiting_task;
mod workers;

#[cfg(feature = "observe")]
pub(crate) use from_thread::notes_of_this_job;
#[cfg(feature = "observe")]
pub(crate) use job_log::{JobLog, JobSpan, Noted};
pub(crate) use job_table::Threads;
pub(crate) use simulated::JobDuration;
