//! What happens when a deadline has come: a sleep ends, or a scope is cancelled.

use crate::{
    CancelReason, CancelSource,
    core::{cancel::deadline_table::Expiry, run::Run},
};

impl Run {
    /// Takes the deadlines that have passed out of the table, the earliest first, and does what each of them is for.
    pub(crate) fn expire_deadlines(&self) {
        if self.deadlines.borrow().next().is_none() {
            return;
        }
        let now = self.clock.now();
        loop {
            let due = self.deadlines.borrow_mut().pop_due(now);
            match due {
                None => break,
                Some(Expiry::Wake(wait)) => {
                    self.reschedule(wait);
                }
                Some(Expiry::Cancel(scope)) => {
                    if let Some(cell) = self.scopes.cell(scope) {
                        cell.cancel(CancelReason::new(CancelSource::Deadline));
                    }
                }
            }
        }
    }
}
