//! Which nodes have a wake in the queue: a mark for each, so that a second wake is not queued.
//!
//! Any thread may wake a task, as often as it likes, while the loop is busy with something else. If each
//! wake were a message, the queue would grow without bound. All that the loop has to know is *whether* a
//! node was woken since it last looked. So a wake sets the node's mark, and only the one that finds it
//! clear puts a message into the queue. The loop takes the message out, clears the mark, and then polls.
//! Hence the queue never has more wakes than there are places for nodes.
//!
//! Why no wake is lost: setting and clearing are read-modify-writes of one atomic, so one comes first. If
//! the wake does, the loop's clearing reads what it wrote, and the poll that follows sees all that came
//! before the wake. If the clearing does, the wake finds the mark clear and sends a message.
//!
//! # What it costs
//!
//! A wake from another thread: one atomic operation more, and if the mark is set already, neither an
//! allocation nor the queue. The loop: one atomic operation for each message. What a run does on its own
//! thread does not come here. Memory: a bit for each place of the node table, in chunks that are made
//! when the first such wake comes; a run that is never woken from outside has none.

use crate::core::ids::NodeId;
#[cfg(loom)]
use loom::sync::atomic::{AtomicU64, Ordering::AcqRel};
use std::sync::OnceLock;
#[cfg(not(loom))]
use std::sync::atomic::{AtomicU64, Ordering::AcqRel};

/// The chunks double in size: so many have room for every key that a table can have.
const CHUNKS: usize = 26;

/// A mark for each place of a run's node table. No place ever moves, so nobody has to wait for anybody.
pub(crate) struct Marks {
    /// The first has one word, each further one twice as many as the one before.
    chunks: [OnceLock<Box<[AtomicU64]>>; CHUNKS],
}

/// Where the mark of a node is.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    chunk: usize,
    word: usize,
    bit: u64,
}

impl Place {
    fn of(node: NodeId) -> Place {
        let number = node.to_bits() as usize;
        // The words before chunk `n` are 2^n - 1.
        let word = number / 64 + 1;
        let chunk = word.ilog2() as usize;
        Place { chunk, word: word - (1 << chunk), bit: 1 << (number % 64) }
    }
}

impl Marks {
    pub(crate) fn new() -> Marks {
        Marks { chunks: [const { OnceLock::new() }; CHUNKS] }
    }

    /// Marks a node as woken. Returns whether it was not.
    pub(crate) fn set(&self, node: NodeId) -> bool {
        let Place { chunk, word, bit } = Place::of(node);
        let words = self.chunks[chunk].get_or_init(|| (0..1 << chunk).map(|_| AtomicU64::new(0)).collect());
        // Also where the mark is set: the loop's clearing must read this, and see what came before it.
        words[word].fetch_or(bit, AcqRel) & bit == 0
    }

    /// Clears the mark of a node, before it is polled.
    pub(crate) fn clear(&self, node: NodeId) {
        let Place { chunk, word, bit } = Place::of(node);
        if let Some(words) = self.chunks[chunk].get() {
            words[word].fetch_and(!bit, AcqRel);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::{CHUNKS, Marks, Place};
    use crate::core::ids::NodeId;

    fn node(number: u32) -> NodeId {
        NodeId::from_bits(number).unwrap()
    }

    #[test]
    fn every_strand_has_a_mark_of_its_own() {
        let mut last = Place::of(node(1));
        for number in 2..100_000 {
            let place = Place::of(node(number));
            assert!(place.word < 1 << place.chunk, "{place:?}");
            let order = |place: &Place| (place.chunk, place.word, place.bit);
            assert!(order(&last) < order(&place), "{last:?} {place:?}");
            last = place;
        }
        // The greatest key that a table gives away.
        let place = Place::of(node(u32::MAX >> 1));
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
