//! Quick checkpoints: how many operations a task may do in one step without giving way.
//!
//! In trio every operation is a schedule point, also one that has succeeded at once. That is simple and fair, and it
//! costs a turn of the loop for each message of a channel. A run can be asked for less
//! ([`Builder::quick_checkpoints`](crate::Builder::quick_checkpoints)): an operation that has succeeded at once lets
//! others run only after so many of them in one step of the task. trio's issue 1757 discusses this. Each operation
//! still looks for a cancellation.

use crate::core::ids::NodeId;
use std::cell::Cell;

/// The budget of a run.
#[derive(Default)]
pub(crate) struct TurnBudget {
    /// How many operations in one step do not give way. Zero is strict.
    limit: u32,
    left: Cell<u32>,
    /// The step that spends it: the tick, and the node that is being polled.
    step: Cell<(u64, Option<NodeId>)>,
}

impl TurnBudget {
    /// A budget of so many operations for each step.
    pub(crate) fn new(limit: u32) -> TurnBudget {
        TurnBudget { limit, ..TurnBudget::default() }
    }

    /// Takes one operation out of the budget of a step. Returns whether there was one left.
    #[inline]
    pub(crate) fn spend(&self, tick: u64, node: Option<NodeId>) -> bool {
        self.limit > 0 && self.spend_now((tick, node))
    }

    fn spend_now(&self, step: (u64, Option<NodeId>)) -> bool {
        if self.step.replace(step) != step {
            self.left.set(self.limit);
        }
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                true
            }
            None => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::TurnBudget;

    #[test]
    fn each_step_has_its_own_budget() {
        let budget = TurnBudget::new(2);
        let spends = |tick| (0..3).filter(|_| budget.spend(tick, None)).count();
        assert_eq!((spends(1), spends(1), spends(2)), (2, 0, 2));
        assert!(!TurnBudget::new(0).spend(1, None));
    }
}
