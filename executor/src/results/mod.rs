//! Results on disk: files that are whole or absent, manifests that say of what they were made, the folder of each job,
//! what is to be done with results that are there already, and the text format of vector fields.

mod atomic;
mod csv;
mod job;
mod lock;
mod made_with;
mod manifest;
mod mark;
mod memory;
mod process;
mod record;
mod report;
mod saving;
mod state;
mod store;
mod strangers;

pub use atomic::{WriteError, remove_leftovers, time_in, write_atomic};
pub use csv::{CsvError, FieldFile, Row, format_csv, parse_csv};
pub use job::{JobError, JobFolder, JobInfo, LOG};
pub use made_with::MadeWith;
pub use manifest::MANIFESTS;
pub use mark::content_mark;
pub use memory::resident_bytes;
pub(crate) use record::Record;
pub use report::{JobReport, JobState, job_reports};
pub use saving::{Saving, SavingPlan};
pub use state::{ItemState, ResultsCheck, Wanted};
pub(crate) use store::Store;
pub use strangers::{Strangers, strangers, summarize};

/// The variable by which a process tells those that it supervises that they belong to it.
pub const PARENT_VARIABLE: &str = "TERZETTO_SUPERVISOR";
