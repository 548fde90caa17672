//! Installing instruments in the current run.

use crate::core::{lowlevel::instrument::Instrument, run};
use std::rc::Rc;

/// Adds an instrument to the current run; one that is there already is not added again.
///
/// # Panics
/// Outside a run.
pub fn add_instrument(instrument: Rc<dyn Instrument>) {
    run::current().instruments.add(instrument);
}

/// Takes an instrument (the same `Rc`) out of the current run; returns whether it was there.
///
/// # Panics
/// Outside a run.
pub fn remove_instrument(instrument: &Rc<dyn Instrument>) -> bool {
    run::current().instruments.remove(instrument)
}
