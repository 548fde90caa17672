//! The text format of vector fields: [`format_csv`] writes it, [`parse_csv`] reads it.

mod csv;

pub use csv::{CsvError, FieldFile, Row, format_csv, parse_csv};
