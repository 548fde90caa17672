//! Results as files: the text format of vector fields ([`format_csv`] writes it, [`parse_csv`] reads it), and the
//! statistics of a series of results ([`list_results`], [`statistics_dataset`]).

mod csv;
mod statistics;

pub use csv::{CsvError, FieldFile, Row, format_csv, parse_csv};
pub use statistics::{ResultsError, list_results, statistics_dataset};
