//! Work in threads, and calls from threads.
//!
//! [`to_thread`] sends a function that would block the loop, or use a processor for long, to a worker
//! thread; [`from_thread`] calls back from there. What stands between:
//!
//! - `workers`: the threads, kept for a while when they have nothing to do;
//! - `pool`: which of them does which job, and who is woken for it;
//! - `name`: what they are called;
//! - `job`: a function on its way to a worker, and its result on the way back;
//! - `start_soon`: a function for a worker that belongs to no run;
//! - `table`: what the loop keeps of the jobs that run, above all the token that each holds of its
//!   limiter until its thread is really done, and where a job's messages find the task that waits.

pub mod from_thread;
mod job;
mod name;
mod pool;
pub(crate) mod start_soon;
mod table;
pub mod to_thread;
mod workers;

pub(crate) use table::Threads;
