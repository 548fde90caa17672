//! A poll of a nursery: how its body and its children are polled, and what happens when one of them has ended.
//!
//! The future of [`nursery`](crate::core::task::nursery::nursery) calls this each time it is polled. It polls the
//! nodes in the nursery's ready queue and no others. A node is polled under its nursery's scope. When its future has
//! ended, the future is dropped within the same step, and an error or a panic goes to the
//! [nursery's errors](crate::core::task::nursery_errors).

use crate::core::{
    poll_tree::{
        node::{End, Node, Queued},
        poll_path::PollPath,
        stack::with_stack,
        waker,
    },
    task::{
        handle::{InFull, Task},
        nursery::Nursery,
    },
};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    task::{Context, Poll},
};

impl Nursery<'_, '_> {
    /// Polls a node. If its future has ended, drops it in the same step, so that its locals are gone before anybody
    /// can see its end. Then calls `finish`, which is the last part of the step. Returns how the future ended. If it
    /// has not ended and has woken itself, queues it again.
    fn poll_node(
        &self,
        path: &PollPath<'_>,
        node: Node,
        queued: Queued,
        finish: impl FnOnce(&Node),
    ) -> Option<(Node, End)> {
        let (true, Some(id)) = (node.is_idle(), node.id()) else { return None };
        let waker = waker::new(self.run.id, id);
        // Written only at the end of the task. If it were returned from the step, each poll would copy its room.
        let mut end = None;
        let again = path.step(&node, queued, || {
            let within = node.own_scope().map(|scope| self.run.scopes.within(scope));
            // SAFETY: only the future of `nursery` calls this, with nodes of its own (OWNED).
            let Some(ended) = (unsafe { node.poll(&mut Context::from_waker(&waker)) }) else { return false };
            // SAFETY: as above.
            let dropped = catch_unwind(AssertUnwindSafe(|| unsafe {
                node.drop_future();
            }));
            drop(within);
            let finished = catch_unwind(AssertUnwindSafe(|| finish(&node)));
            if dropped.is_err() || finished.is_err() {
                self.panicked_at_the_end(&node, [dropped, finished]);
            }
            end = Some(ended);
            true
        });
        let Some(end) = end else {
            if again {
                self.run.tree.queue_again(&self.in_tree, node);
            }
            return None;
        };
        path.back();
        Some((node, end))
    }

    fn poll_child(&self, path: &PollPath<'_>, node: Node, queued: Queued) {
        let finish = |node: &Node| {
            self.in_tree.remove_child(node);
            self.run.task_exited(node);
        };
        let Some((node, end)) = self.poll_node(path, node, queued, finish) else { return };
        let end = match node.info.starter() {
            // Until the task has said that it is started, the call of `start` handles its end.
            Some(starter) => starter.child_ended(end),
            None => Some(end),
        };
        match end {
            None | Some(Ok(Ok(()))) => {}
            Some(Ok(Err(error))) => {
                self.fail(Some(&node), error);
            }
            Some(Err(payload)) => {
                self.panicked(format_args!("task {}", InFull(&Task::of(&node))), Some(&node), payload);
            }
        }
    }

    /// Polls the body. Returns whether it has ended.
    pub(super) fn poll_body(&self, path: &PollPath<'_>, body: Node, queued: Queued) -> bool {
        let Some((_, end)) = self.poll_node(path, body, queued, |_| ()) else { return false };
        match end {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.fail(None, error),
            Err(payload) => self.panicked(format_args!("the nursery's body"), None, payload),
        }
        true
    }

    /// A poll of the nursery. Polls body and children, as far as they are due. It is ready one tick after all of them
    /// have ended.
    #[inline]
    pub(super) fn poll_inside(
        &self,
        cx: &Context<'_>,
        body: &Node,
        body_done: &mut bool,
        ended_in: &mut Option<u64>,
    ) -> Poll<()> {
        let Nursery { run, in_tree, .. } = self;
        let tree = &run.tree;
        run.follow(self.scope_id);
        tree.begin_poll(in_tree, body, cx.waker());
        with_stack(|| {
            let path = run.poll_path(self.scope_id);
            loop {
                for _ in 0..tree.begin_batch(in_tree) {
                    let Some((node, queued)) = tree.next_queued(in_tree) else { break };
                    match node == *body {
                        true => *body_done |= self.poll_body(&path, node, queued),
                        false => self.poll_child(&path, node, queued),
                    }
                }
                path.back();
                if !run.tick_in_place(in_tree) {
                    break;
                }
            }
        });
        tree.end_poll(in_tree, |waker| run.wake_foreign(waker));
        if *body_done && run.interrupt.is_pending() {
            self.interrupted();
        }
        if !*body_done || self.child_count() > 0 {
            return Poll::Pending;
        }
        let tick = tree.tick.get();
        if ended_in.is_some_and(|ended| ended < tick) {
            return Poll::Ready(());
        }
        ended_in.get_or_insert(tick);
        self.closed.set(true);
        // From here on the parent itself is runnable, and not only a nursery below it.
        match tree.parent(in_tree) {
            Some(parent) => run.wake(parent),
            None => run.notify_parent_of(in_tree),
        }
        Poll::Pending
    }
}
