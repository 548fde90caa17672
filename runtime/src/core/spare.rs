//! Parts of a run that are kept for the next use. A reader may skip this file.
//!
//! Nurseries and scopes come and go all the time. What they allocate is used again. That saves 10 % of the instructions
//! of a nursery (its node in the poll tree), and 18 % of those of a scope (its state), by `benches/instructions` with
//! and without.

use std::{cell::RefCell, rc::Rc};

/// How many are kept.
const MOST: usize = 128;

/// Parts that nobody uses now.
pub(crate) struct Spare<T>(RefCell<Vec<Rc<T>>>);

impl<T> Default for Spare<T> {
    fn default() -> Self {
        Spare(RefCell::default())
    }
}

impl<T> Spare<T> {
    /// A part that nobody else refers to, if there is one. It is as its last user left it.
    #[inline]
    pub(crate) fn take(&self) -> Option<Rc<T>> {
        let mut part = self.0.borrow_mut().pop()?;
        // A handle somewhere may still refer to it. Then it is not used again.
        Rc::get_mut(&mut part).is_some().then_some(part)
    }

    /// Keeps a part, if there is room.
    #[inline]
    pub(crate) fn keep(&self, part: Rc<T>) {
        let mut parts = self.0.borrow_mut();
        if parts.len() < MOST {
            parts.push(part);
        }
    }
}
