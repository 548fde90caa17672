//! The errors and panics of a nursery's tasks: what they cancel, and how they are kept until the block ends.
//!
//! A nursery returns when all of its tasks have ended. So the first error does not come out at once. It cancels the
//! nursery's scope, and waits here with those that follow. A panic does the same. It is caught where a task is
//! [polled](crate::core::task::poll_children), and goes on in the task that opened the nursery.

use crate::{
    CancelReason, CancelSource, Error,
    core::{
        poll_tree::node::Node,
        task::{
            handle::{InFull, Task},
            nursery::Nursery,
        },
    },
    error::failure::{discard, text_of_failure, text_of_panic},
};
use std::{any::Any, fmt};

impl Nursery<'_, '_> {
    /// Notes that a child, or else the body, has failed. Cancels the nursery's scope.
    pub(super) fn fail(&self, child: Option<&Node>, error: Error) {
        // A task that a shutdown has stopped ends nobody who still finishes his work.
        let stopped = || self.run.scopes.is_only_stopped(self.scope_id) && error.is_cancelled();
        // Only the first reason is kept. The others are cancellations mostly, and no text is made for them.
        if !self.scope.cell.called() && !stopped() {
            let text = match child {
                Some(child) => text_of_failure(format_args!("task {}", InFull(&Task::of(child))), &error),
                None => text_of_failure(format_args!("the nursery's body"), &error),
            };
            self.cancel_for(CancelReason::with_text(CancelSource::Nursery, text), child);
        }
        self.keep(child, error);
    }

    /// Cancels the nursery's scope because `child` has failed. `None` means the body.
    fn cancel_for(&self, reason: CancelReason, child: Option<&Node>) {
        let task = child.map(Task::of).or_else(|| self.in_tree.owner.borrow().clone());
        self.scope.cell.cancel(reason.by(task.map(|task| task.to_string())));
    }

    /// Keeps an error, which comes out when all have ended.
    fn keep(&self, child: Option<&Node>, error: Error) {
        let interrupt = &self.run.interrupt;
        if interrupt.was_raised() && error.is_interrupted() {
            self.holds_interrupt.set(true);
            interrupt.hold(true);
        }
        self.failures.borrow_mut().push(error, || child.map(|node| Task::of(node).origin()));
    }

    /// Takes a Ctrl-C that finds the main task waiting here for its children. It ends them.
    pub(super) fn interrupted(&self) {
        if !self.run.interrupt.is_held()
            && let Some(interrupt) = self.run.take_interrupt()
        {
            self.cancel_for(CancelReason::new(CancelSource::CtrlC), None);
            self.keep(None, interrupt.into());
        }
    }

    pub(super) fn panicked(
        &self,
        who: fmt::Arguments<'_>,
        child: Option<&Node>,
        payload: Box<dyn Any + Send>,
    ) {
        let text = text_of_panic(who, &*payload);
        // The payload is the program's own, and does not say which task has panicked.
        log::error!("{text}");
        // The first panic goes on in the task that opened the nursery.
        let is_first = self.panic.borrow().is_none();
        match is_first {
            true => *self.panic.borrow_mut() = Some(payload),
            false => discard(payload),
        }
        self.cancel_for(CancelReason::with_text(CancelSource::Nursery, text), child);
    }

    /// Notes a panic at the end of a task, in a destructor or in code that is told of the end. It becomes the
    /// nursery's panic.
    #[cold]
    pub(super) fn panicked_at_the_end(&self, node: &Node, steps: [std::thread::Result<()>; 2]) {
        for payload in steps.into_iter().filter_map(Result::err) {
            match node.info.is_body() {
                true => self.panicked(format_args!("the drop of the nursery's body"), None, payload),
                false => {
                    let who = Task::of(node);
                    self.panicked(format_args!("the drop of task {}", InFull(&who)), Some(node), payload);
                }
            }
        }
    }
}
