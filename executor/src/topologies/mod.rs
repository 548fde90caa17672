//! Topologies for the usual tasks.

mod piv;
mod synth;

pub use piv::{PivSeries, field_file, file_stem, piv};
pub use synth::{SynthSeries, synth};
