//! A waker is a number.
//!
//! A waker must be `Send + Sync`. It may be cloned without end, and it may outlive its task, its nursery and the run.
//! Most runtimes use a counted allocation per task for that, with atomic counting. Here a waker owns nothing. Its
//! data word is the number of the run and the number of the node, packed together. A clone copies the word, a drop
//! does nothing, and nothing can dangle.
//!
//! Waking looks up the run. On the run's own thread that is one comparison with a thread-local, followed by plain,
//! unsynchronised work. From any other thread, the [registry] of live runs finds the run's inbox, and the number goes
//! into it. The number is there at most once, however often the node is woken. If the run has ended, the registry
//! finds nothing and the wake does nothing. If the node has ended, its number may belong to a later node. Then that
//! node is polled once for nothing, which every future must tolerate.
//!
//! [registry]: crate::core::run::inbox::find

use crate::core::{
    ids::{NodeId, RunId},
    run,
    run::inbox,
    table::Key,
};
use std::{
    ptr,
    task::{RawWaker, RawWakerVTable, Waker},
};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("terzetto packs a run and a node into one 64-bit word of a waker");

static VTABLE: RawWakerVTable = RawWakerVTable::new(|data| RawWaker::new(data, &VTABLE), wake, wake, |_| ());

fn wake(data: *const ()) {
    let (run, Some(node)) = unpack(data) else { return };
    let own = run::try_with(|state| {
        state.id == run && {
            state.wake(node);
            true
        }
    });
    if own != Some(true)
        && let Some(inbox) = inbox::find(run)
    {
        inbox.wake(node);
    }
}

fn unpack(data: *const ()) -> (RunId, Option<NodeId>) {
    let word = data.addr() as u64;
    ((word >> 32) as u32, Key::from_bits(word as u32))
}

/// The data word of a node's waker.
#[inline]
fn word(run: RunId, node: NodeId) -> usize {
    ((u64::from(run) << 32) | u64::from(node.to_bits())) as usize
}

/// The waker of a node.
pub(crate) fn new(run: RunId, node: NodeId) -> Waker {
    let data = ptr::without_provenance(word(run, node));
    // SAFETY: the functions of `VTABLE` never dereference the data word. They only read the number in it. None of
    // them relies on a thread, or on anything that must stay alive (NUMBER). So every obligation of `RawWakerVTable`
    // (thread safety, balance of clone and drop) holds without further conditions.
    unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
}

/// Whether `waker` is the waker of this node in this run.
#[inline]
pub(crate) fn is_of(waker: &Waker, run: RunId, node: Option<NodeId>) -> bool {
    node.is_some_and(|node| waker.data().addr() == word(run, node)) && ptr::eq(waker.vtable(), &VTABLE)
}

/// The node that `waker` wakes, if the waker is one of ours and belongs to this run.
pub(crate) fn node_of(waker: &Waker, run: RunId) -> Option<NodeId> {
    let (of_run, node) = unpack(waker.data());
    node.filter(|_| ptr::eq(waker.vtable(), &VTABLE) && of_run == run)
}
