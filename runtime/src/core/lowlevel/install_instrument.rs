//! Adding instruments to the current run, and removing them.

use crate::core::{lowlevel::instrument::Instrument, run};
use std::rc::Rc;

/// Adds an instrument to the current run. An instrument that is there already is not added again.
///
/// # Panics
/// Outside a run.
pub fn add_instrument(instrument: Rc<dyn Instrument>) {
    run::current().instruments.add(instrument);
}

/// Removes an instrument (the same `Rc`) from the current run. Returns whether it was there.
///
/// # Panics
/// Outside a run.
pub fn remove_instrument(instrument: &Rc<dyn Instrument>) -> bool {
    run::current().instruments.remove(instrument)
}
