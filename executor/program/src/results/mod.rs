//! Results as files: the text format of vector fields ([`format_csv`] writes it, [`parse_csv`] reads it), and the
//! statistics of a series of results ([`list_results`], [`statistics_dataset`], [`modes_dataset`],
//! [`format_spectrum`]).

mod csv;
mod modes;
mod statistics;

pub use csv::{CsvError, FieldFile, Row, format_csv, parse_csv};
pub use modes::{format_spectrum, modes_dataset};
pub use statistics::{ResultsError, list_results, statistics_dataset};
