//! How parts of the crate that the core does not name take part in a run.
//!
//! Each keeps its own state here, finds it by its type, and is told when the run ends. Threads, signals and the hooks
//! of the network do so, and in the core itself system tasks and run variables. There are four more ways into a run:
//!
//! | way | who uses it |
//! |---|---|
//! | [`Operation`](crate::core::block::operation::Operation): what a task is blocked in, and how that is aborted | every primitive, and tasks that wait for a thread |
//! | [`Message`](crate::core::run::inbox::Message): a call or a notice from another thread | tokens, and jobs that are done |
//! | [`on_signals`](crate::core::run::Run::on_signals): a function that is told which signals have come | signals |
//! | [`Reactor`](crate::core::block::reactor::Reactor): the events of a descriptor | sockets, pipes, waits for any descriptor |

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
    /// Called when the run ends. The run is still the current one. Its main task and system tasks are gone.
    fn run_ends(&self);

    /// Called when somebody should write down what the run is doing.
    fn dump(&self, reason: DumpReason) {
        let _ = reason;
    }

    /// Why this may still wake a run that has nothing to do, if it may.
    fn may_wake(&self) -> Option<&'static str> {
        None
    }
}

/// Why a run should write down what it is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DumpReason {
    /// Nothing can wake it.
    Deadlock,
    /// It panics.
    Panic,
    /// A signal has asked for it.
    Signal,
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

    /// Calls `f` with each extension.
    pub(crate) fn each(&self, f: impl Fn(&dyn Extension)) {
        let list = self.list.borrow().clone();
        list.iter().for_each(|extension| f(&**extension));
    }

    /// Why extensions may still wake a run that has nothing to do.
    pub(crate) fn may_wake(&self) -> Vec<&'static str> {
        self.list.borrow().iter().filter_map(|extension| extension.may_wake()).collect()
    }

    /// The extensions of a run that ends, the last one first.
    pub(crate) fn take(&self) -> Vec<Rc<dyn Extension>> {
        self.closed.set(true);
        let mut list = self.list.take();
        list.reverse();
        list
    }
}
