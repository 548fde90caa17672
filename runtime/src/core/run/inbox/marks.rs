//! Marks: which nodes have a wake in the queue. A node that has a mark is not queued a second time.
//!
//! Any thread may wake a task, as often as it likes, while the loop is busy. If each wake were a message, the queue
//! would grow without bound. The loop only has to know *whether* a node was woken since it last looked. So a wake
//! sets the node's mark. Only a wake that finds the mark clear puts a message into the queue. The loop takes the
//! message out, clears the mark, and queues the node for the next poll. Hence the queue never holds more wakes than
//! there are places for nodes.
//!
//! No wake is lost, for this reason. Setting and clearing are read-modify-writes of one atomic, so one of them comes
//! first. If the wake comes first, the loop's clearing reads what the wake wrote. Then the poll that follows sees
//! everything that happened before the wake. If the clearing comes first, the wake finds the mark clear and sends a
//! message.
//!
//! # What it costs
//!
//! A wake from another thread costs one more atomic operation. If the mark is set already, it needs neither an
//! allocation nor the queue. The loop pays one atomic operation for each message. Wakes on the run's own thread do
//! not come here. The memory is one bit for each place of the node table. It is allocated in chunks when the first
//! such wake comes. A run that no other thread wakes has no chunk.

use crate::core::ids::NodeId;
#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering::AcqRel};
use std::sync::OnceLock;
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering::AcqRel};

/// The number of chunks. They double in size, so this many have room for every key that a table can have.
const CHUNKS: usize = 26;

/// A mark for each place of a run's node table. No mark ever moves, so no thread has to wait for another.
pub(crate) struct Marks {
    /// The first chunk has one word. Each further chunk has twice as many as the one before.
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNKS],
}

/// The position of a node's mark.
#[derive(Debug, PartialEq, Eq)]
struct MarkPosition {
    chunk: usize,
    word: usize,
    bit: u64,
}

impl MarkPosition {
    fn of(node: NodeId) -> MarkPosition {
        let number = node.to_bits() as usize;
        // The words before chunk `n` are 2^n - 1.
        let word = number / 64 + 1;
        let chunk = word.ilog2() as usize;
        MarkPosition { chunk, word: word - (1 << chunk), bit: 1 << (number % 64) }
    }
}

impl Marks {
    pub(crate) fn new() -> Marks {
        Marks { chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// Marks a node as woken. Returns whether it was not marked before.
    pub(crate) fn set(&self, node: NodeId) -> bool {
        let MarkPosition { chunk, word, bit } = MarkPosition::of(node);
        let words = self.chunks[chunk].get_or_init(|| (0..1 << chunk).map(|_| AtomicU64::new(0)).collect());
        // The write is needed even if the mark is set already: the loop's clearing must read it, and see what came
        // before it.
        words[word].fetch_or(bit, AcqRel) & bit == 0
    }

    /// Clears the mark of a node. The loop does this before it polls the node.
    pub(crate) fn clear(&self, node: NodeId) {
        let MarkPosition { chunk, word, bit } = MarkPosition::of(node);
        if let Some(words) = self.chunks[chunk].get() {
            words[word].fetch_and(!bit, AcqRel);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{CHUNKS, MarkPosition, Marks};
    use crate::core::ids::NodeId;

    fn node(number: u32) -> NodeId {
        NodeId::from_bits(number).unwrap()
    }

    #[test]
    fn every_node_has_a_mark_of_its_own() {
        let mut last = MarkPosition::of(node(1));
        for number in 2..100_000 {
            let place = MarkPosition::of(node(number));
            assert!(place.word < 1 << place.chunk, "{place:?}");
            let order = |place: &MarkPosition| (place.chunk, place.word, place.bit);
            assert!(order(&last) < order(&place), "{last:?} {place:?}");
            last = place;
        }
        // The greatest key that a table gives away.
        let place = MarkPosition::of(node(u32::MAX >> 1));
        assert!(place.chunk < CHUNKS && place.word < 1 << place.chunk, "{place:?}");
    }

    #[test]
    fn a_mark_is_set_once_until_it_is_cleared() {
        let marks = Marks::new();
        for number in [1, 63, 64, 65, 1000] {
            marks.clear(node(number));
            assert!(marks.set(node(number)));
            assert!(!marks.set(node(number)));
        }
        marks.clear(node(64));
        assert!(marks.set(node(64)) && !marks.set(node(63)) && !marks.set(node(65)));
    }
}
