//! The text format of vector fields.

mod csv;

pub use csv::{CsvError, FieldFile, Row, format_csv, parse_csv};
