//! What other parts of the crate plug into a run: threads, signals.
//!
//! The core knows nothing of them. Each keeps its own state here, finds it by its type, and is told when the run
//! ends.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    rc::Rc,
};

/// All that is plugged into a run.
#[derive(Default)]
pub(crate) struct Extensions {
    list: RefCell<Vec<Rc<dyn Extension>>>,
    /// Whether the run has ended. What is made from then on, by a destructor, is not kept.
    closed: Cell<bool>,
}

/// Something that is plugged into a run.
pub(crate) trait Extension: Any {
    /// Called when the run ends. The run is still the current one, and all of its tasks are gone.
    fn run_ends(&self);
}

impl Extensions {
    /// The extension of this type. It is made if it is not there yet.
    pub(crate) fn get<T: Extension>(&self, make: impl FnOnce() -> T) -> Rc<T> {
        if let Some(known) = self.find() {
            return known;
        }
        let made = Rc::new(make());
        if !self.closed.get() {
            self.list.borrow_mut().push(made.clone());
        }
        made
    }

    /// The extension of this type, if it is there.
    pub(crate) fn find<T: Extension>(&self) -> Option<Rc<T>> {
        let list = self.list.borrow();
        list.iter().find_map(|extension| (extension.clone() as Rc<dyn Any>).downcast().ok())
    }

    /// The extensions of a run that ends, the last one first.
    pub(crate) fn take(&self) -> Vec<Rc<dyn Extension>> {
        self.closed.set(true);
        let mut list = self.list.take();
        list.reverse();
        list
    }
}
