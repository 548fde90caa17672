//! What is plugged into a run from outside the core: threads, signals.
//!
//! The core knows nothing of either. Each keeps its own state here, found by its type, and is told when the run ends.

use std::{any::Any, cell::RefCell, rc::Rc};

/// What is plugged into a run.
#[derive(Default)]
pub(crate) struct Extensions {
    list: RefCell<Vec<Rc<dyn Extension>>>,
}

/// Something that is plugged into a run.
pub(crate) trait Extension: Any {
    /// The run ends. Called while it is the current one, after all of its tasks are gone.
    fn run_ends(&self);
}

impl Extensions {
    /// The extension of this type, which is made if it is not there yet.
    pub(crate) fn get<T: Extension>(&self, make: impl FnOnce() -> T) -> Rc<T> {
        if let Some(known) = self.find() {
            return known;
        }
        let made = Rc::new(make());
        self.list.borrow_mut().push(made.clone());
        made
    }

    /// The extension of this type, if it is there.
    pub(crate) fn find<T: Extension>(&self) -> Option<Rc<T>> {
        let list = self.list.borrow();
        list.iter().find_map(|extension| (extension.clone() as Rc<dyn Any>).downcast().ok())
    }

    /// The extensions of a run that ends, the last one first.
    pub(crate) fn take(&self) -> Vec<Rc<dyn Extension>> {
        let mut list = self.list.take();
        list.reverse();
        list
    }
}
