//! Whether a node that was woken will be polled.
//!
//! A wake leaves a trail: it queues the node in its nursery, and each node above in the nursery above it. The trail is
//! broken if a node was polled since and did not poll the nursery inside it. A nursery that is a pinned future, polled a
//! few times and then kept, is in that state: its tasks are runnable, and nobody runs them.

use crate::core::{
    ids::NodeId,
    poll_tree::{
        node::{Node, Queued},
        nursery_node::{NurseryNode, Parent},
    },
    table::Table,
    task::handle::Task,
};
use std::{collections::HashMap, rc::Rc};

/// Follows the trails of woken nodes upwards. Each nursery is looked at once.
pub(crate) struct Trails<'a> {
    table: &'a Table<Node>,
    /// The node whose poll goes on or is about to begin.
    current: Option<NodeId>,
    /// By the number of the nursery: who keeps it, if its own future will not be polled.
    known: HashMap<u64, Option<Task>>,
}

impl<'a> Trails<'a> {
    pub(crate) fn of(table: &'a Table<Node>, current: Option<NodeId>) -> Trails<'a> {
        Trails { table, current, known: HashMap::new() }
    }

    /// The task that keeps the future of a nursery around this woken node and does not poll it. It is `None` if the
    /// node will be polled, and also if something foreign decides that, such as a `join!`, or a step that still goes on.
    pub(crate) fn broken_by(&mut self, node: &Node) -> Option<Task> {
        let mut passed = Vec::new();
        let mut at = node.nursery().cloned();
        let keeper = loop {
            let Some(nursery) = at else { break None };
            let number = nursery.serial.get();
            if let Some(known) = self.known.get(&number) {
                break known.clone();
            }
            passed.push(number);
            match self.above(&nursery) {
                Above::Ends(keeper) => break keeper,
                Above::Next(next) => at = Some(next),
            }
        };
        self.known.extend(passed.into_iter().map(|nursery| (nursery, keeper.clone())));
        keeper
    }

    fn above(&self, nursery: &NurseryNode) -> Above {
        let Parent::Node(parent) = *nursery.parent.borrow() else { return Above::Ends(None) };
        if nursery.is_polled() || self.current == Some(parent) {
            return Above::Ends(None);
        }
        match self.table.get(parent) {
            Some(node) if node.queued.get() == Queued::No && !node.is_polled() => {
                Above::Ends(Some(Task::of(node)))
            }
            Some(node) if !node.is_polled() => node.nursery().cloned().map_or(Above::Ends(None), Above::Next),
            _ => Above::Ends(None),
        }
    }
}

/// What is above a nursery.
enum Above {
    /// The trail ends here. It is broken if a task keeps the nursery.
    Ends(Option<Task>),
    Next(Rc<NurseryNode>),
}
