//! The runtime without the feature `signal`: no run takes a signal over, so none ever comes to one. What the core
//! asks about signals is answered here, by constants that the compiler sees through.

use crate::{
    Cancelled,
    core::{block::wait::WaitId, run::Run},
};

/// What a run keeps about signals.
#[derive(Default)]
pub(crate) struct Signals {
    pub(crate) interrupt: Interrupt,
}

/// The Ctrl-C that never comes.
#[derive(Default)]
pub(crate) struct Interrupt;

impl Interrupt {
    pub(crate) fn is_pending(&self) -> bool {
        false
    }

    pub(crate) fn was_raised(&self) -> bool {
        false
    }

    pub(crate) fn is_held(&self) -> bool {
        false
    }

    pub(crate) fn hold(&self, _held: bool) {}

    pub(crate) fn was_taken(&self) {}
}

impl Run {
    pub(crate) fn take_signals(&self) {}

    pub(crate) fn tell_of_interrupt(&self) {}

    pub(crate) fn release_signals(&self) {}

    pub(crate) fn take_interrupt(&self) -> Option<Cancelled> {
        None
    }

    pub(crate) fn unraised_interrupt(&self) -> Option<Cancelled> {
        None
    }

    pub(crate) fn interrupt_at(&self, _wait: WaitId) {}

    pub(crate) fn interrupt_may_be_here(&self) -> bool {
        false
    }
}
