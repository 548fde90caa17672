//! The order in which the nodes of a batch are polled.

use crate::core::poll_tree::node::Node;
use std::{cell::RefCell, rc::Rc};

/// Decides which of these nodes is next. A test that tries all orders is one.
pub(crate) type Chooser = Rc<dyn Fn(&[Node]) -> usize>;

/// How a run orders the nodes of a batch.
#[derive(Default)]
pub(crate) enum BatchOrder {
    /// As they were woken.
    #[default]
    AsWoken,
    /// At random.
    Random(RefCell<fastrand::Rng>),
    /// As a test chooses.
    Chosen(Chooser),
}

impl BatchOrder {
    pub(crate) fn random(seed: u64) -> BatchOrder {
        BatchOrder::Random(RefCell::new(fastrand::Rng::with_seed(seed)))
    }

    /// Whether the nodes stay as they were woken.
    #[inline]
    pub(crate) fn is_as_woken(&self) -> bool {
        matches!(self, BatchOrder::AsWoken)
    }

    /// Puts the nodes of a batch into order.
    pub(crate) fn arrange(&self, nodes: &mut [Node]) {
        match self {
            BatchOrder::AsWoken => {}
            BatchOrder::Random(random) => random.borrow_mut().shuffle(nodes),
            BatchOrder::Chosen(choose) => {
                for place in 0..nodes.len().saturating_sub(1) {
                    let chosen = place + choose(&nodes[place..]);
                    // The others keep the order of their wakes.
                    nodes[place..=chosen].rotate_right(1);
                }
            }
        }
    }
}
