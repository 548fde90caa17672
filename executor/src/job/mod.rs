//! The record of a run: a folder with its parameters, log, results and errors.
//!
//! Each run that has a folder for results makes a [`JobFolder`] in it. People read it, and programs such as
//! `terzetto monitor` read it with [`job_reports`].
//!
//! `folder` makes the folder. `lock` keeps two runs out of one folder for results, `lease` renews the lock,
//! `system_process` tells processes apart. `record` is the observer that fills the folder during a run. `numbers` are
//! what each work has done. `report` reads the folder.

mod folder;
mod lease;
mod lock;
mod memory;
mod numbers;
mod record;
mod report;
mod system_process;

pub use folder::{JobError, JobFolder, JobHolder, JobInfo, LOG};
pub use memory::resident_bytes;
pub(crate) use record::Record;
pub use report::{JobReport, JobState, job_reports};
pub(crate) use system_process::{host, is_running};
