//! Topologies for the usual tasks.

mod piv;

pub use piv::{PivSeries, field_file, file_stem, piv};
