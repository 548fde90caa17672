//! The table of waits: which task is blocked in which operation, and in which scope.

use crate::{
    Cancelled,
    core::{
        block::{
            operation::Operation,
            waiter::{Waiter, Waiters},
        },
        ids::{ScopeId, WaitId},
        list::{Linked, Links, List},
        table::Table,
    },
};
use std::{cell::RefCell, rc::Rc};
pub(crate) enum WaitState {
    /// The wait may still be aborted.
    Blocked {
        operation: Rc<dyn Operation>,
        key: u32,
    },
    /// The abort function of the wait is being called.
    Aborting,
    /// The operation could not be aborted. An abort is tried only once.
    Committed,
    Rescheduled,
    Aborted(Cancelled),
    /// The wait was aborted, and its task has got the cancellation.
    Raised,
}

pub(crate) struct Wait {
    pub(crate) state: WaitState,
    /// The scope that has the wait in its list. It is `None` once that scope is gone.
    pub(crate) scope: Option<ScopeId>,
    pub(crate) links: Links,
    pub(crate) waiter: Waiter,
}

impl Linked for Wait {
    fn links(&self) -> &Links {
        &self.links
    }

    fn links_mut(&mut self) -> &mut Links {
        &mut self.links
    }
}

/// All waits of a run.
#[derive(Default)]
pub(crate) struct Waits {
    pub(crate) table: RefCell<Table<Wait>>,
    pub(crate) waiters: Waiters,
}

impl Waits {
    /// Calls `f` with each wait in a scope's list.
    pub(crate) fn each_in(&self, list: List, f: impl FnMut(WaitId)) {
        list.iter(&self.table.borrow()).for_each(f);
    }

    /// Notes that the scope of these waits is gone. Returns them.
    pub(crate) fn outlive_scope(&self, list: List) -> Vec<WaitId> {
        let mut waits = self.table.borrow_mut();
        let left: Vec<WaitId> = list.iter(&waits).collect();
        for &wait in &left {
            waits[wait].scope = None;
        }
        left
    }

    /// The scope that has a wait in its list.
    pub(crate) fn scope_of(&self, id: WaitId) -> Option<ScopeId> {
        self.table.borrow().get(id)?.scope
    }
}
