//! Results on disk: files that are whole or absent, the folder of each job, what is to be done with
//! results that are there already, and the text format of vector fields.

mod atomic;
mod csv;
mod job;
mod lock;
mod memory;
mod process;
mod record;
mod report;
mod saving;

pub use atomic::{WriteError, remove_leftovers, time_in, write_atomic};
pub use csv::{CsvError, FieldFile, Row, format_csv, parse_csv};
pub use job::{JobError, JobFolder, JobInfo, LOG};
pub use memory::resident_bytes;
pub(crate) use record::Record;
pub use report::{JobReport, JobState, job_reports};
pub use saving::{Saving, SavingPlan};

/// The variable by which a process tells those that it supervises that they belong to it.
pub const PARENT_VARIABLE: &str = "TERZETTO_SUPERVISOR";
