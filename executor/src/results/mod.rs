//! Results on disk: files that are whole or absent, and the text format of vector fields.

mod atomic;
mod csv;

pub use atomic::{WriteError, remove_leftovers, write_atomic};
pub use csv::{CsvError, FieldFile, Row, format_csv, parse_csv};
