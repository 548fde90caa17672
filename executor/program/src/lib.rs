//! Pipelines of images, for the program `terzetto` and for programs of one's own.
#![forbid(unsafe_code)]

pub mod params;
pub mod pipelines;
pub mod plot;
pub mod results;
pub mod series;
