//! The folder of a job.

mod folder;
mod lock;
mod memory;
mod record;
mod report;
mod system_process;

pub use folder::{JobError, JobFolder, JobInfo, LOG};
pub use memory::resident_bytes;
pub(crate) use record::Record;
pub use report::{JobReport, JobState, job_reports};
pub(crate) use system_process::{host, is_running};
