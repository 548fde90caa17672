//! A bell that wakes a work's loop, as often as needed.

use std::{cell::RefCell, rc::Rc};

use terzetto::{Cancelled, sync::Event};

/// An [`Event`] happens once; a bell rings again and again, each time for whoever waits just then.
///
/// No ring is lost if the waiter looks at the state and then waits without another `await` between:
/// on one thread nothing can happen in between.
#[derive(Default)]
pub(super) struct Bell(RefCell<Option<Rc<Event>>>);

impl Bell {
    /// Wakes whoever waits now; does nothing if nobody does.
    pub fn ring(&self) {
        if let Some(event) = self.0.take() {
            event.set();
        }
    }

    /// Waits for the next ring.
    pub async fn wait(&self) -> Result<(), Cancelled> {
        let event = self.0.borrow_mut().get_or_insert_default().clone();
        event.wait().await
    }
}
