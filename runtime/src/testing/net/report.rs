//! Which faults were asked for, and which of them really happened.
//!
//! A test with faults is green for the wrong reason if a fault never had an effect: the partition came when nobody
//! sent, the host crashed after its program had ended. So each fault that somebody asks for is counted when it has an
//! effect, and a check fails if one never had.

use std::{cell::RefCell, collections::BTreeMap, fmt};

/// A fault that was asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct AskedFault {
    /// What it is.
    pub fault: String,
    /// When it was asked for, or when the script lets it begin, on the run's clock. In a report of several runs, the
    /// first of these times.
    pub at: f64,
    /// How often it has had an effect: how many packets it has stopped or lost, how many hosts it has crashed, how many
    /// messages it has cut.
    pub effects: u64,
}

/// Which faults were asked for, and how often each has had an effect.
///
/// ```
/// use terzetto::testing::net::Report;
/// assert!(Report::default().all_happened().is_ok());
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    pub(super) faults: Vec<AskedFault>,
}

impl Report {
    /// The faults, in the order in which they were asked for.
    pub fn faults(&self) -> &[AskedFault] {
        &self.faults
    }

    /// Checks that every fault that was asked for has had an effect.
    ///
    /// # Errors
    /// [`FaultsMissing`] with those that never had.
    pub fn all_happened(&self) -> Result<(), FaultsMissing> {
        let missing: Vec<_> = self.faults.iter().filter(|fault| fault.effects == 0).cloned().collect();
        if missing.is_empty() { Ok(()) } else { Err(FaultsMissing { missing }) }
    }

    /// Adds the report of another run. Faults with the same words are one.
    pub(super) fn add(&mut self, other: &Report) {
        let mut places: BTreeMap<String, usize> =
            self.faults.iter().enumerate().map(|(place, fault)| (fault.fault.clone(), place)).collect();
        for fault in &other.faults {
            match places.get(&fault.fault) {
                Some(&place) => self.faults[place].effects += fault.effects,
                None => {
                    places.insert(fault.fault.clone(), self.faults.len());
                    self.faults.push(fault.clone());
                }
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, AskedFault { fault, at, effects }) in self.faults.iter().enumerate() {
            let line = if index == 0 { "" } else { "\n" };
            write!(f, "{line}{fault} (from {at:.3} s): {effects} effects")?;
        }
        Ok(())
    }
}

/// Some faults that were asked for have never had an effect, so the run has not tested what it was to test.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultsMissing {
    missing: Vec<AskedFault>,
}

impl FaultsMissing {
    /// The faults.
    pub fn missing(&self) -> &[AskedFault] {
        &self.missing
    }
}

impl fmt::Display for FaultsMissing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts = self.missing.iter().map(|fault| format!("{} (from {:.3} s)", fault.fault, fault.at));
        write!(f, "faults that were asked for never had an effect: {}", texts.collect::<Vec<_>>().join("; "))
    }
}

impl std::error::Error for FaultsMissing {}

/// The report while the run goes on.
#[derive(Default)]
pub(super) struct Record {
    faults: RefCell<Vec<AskedFault>>,
}

/// The place of what need not be reported.
pub(super) const UNREPORTED: usize = usize::MAX;

impl Record {
    /// Notes that a fault is asked for. Returns its place in the report.
    pub(super) fn asks_for(&self, fault: String, at: f64) -> usize {
        let mut faults = self.faults.borrow_mut();
        faults.push(AskedFault { fault, at, effects: 0 });
        faults.len() - 1
    }

    /// Notes that a fault has had an effect.
    pub(super) fn happened(&self, place: usize) {
        if let Some(fault) = self.faults.borrow_mut().get_mut(place) {
            fault.effects += 1;
        }
    }

    pub(super) fn report(&self) -> Report {
        Report { faults: self.faults.borrow().clone() }
    }
}
