//! A waker is a number.
//!
//! A waker must be `Send + Sync`, may be cloned without end, and may outlive its task, its nursery
//! and the run. The usual answer is a counted allocation per task, touched with atomics. Here a
//! waker owns nothing: its data word is the number of the run and the number of the node, packed.
//! Cloning copies it, dropping does nothing, and there is nothing that could dangle.
//!
//! Waking looks the run up. On the run's own thread that is one thread-local comparison and then
//! plain, unsynchronised work. From any other thread the number goes through the [registry] of live
//! runs into the inbox of its run, where it waits once, however often it is brought. Of a run that has ended nothing is found, and
//! the wake is a no-op. A node's number may have been given to a later node meanwhile: then that
//! one is polled once for nothing, which every future must bear.
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

/// The waker of a node.
pub(crate) fn new(run: RunId, node: NodeId) -> Waker {
    let word = (u64::from(run) << 32) | u64::from(node.to_bits());
    let data = ptr::without_provenance(word as usize);
    // SAFETY: the functions of `VTABLE` never dereference the data word, they only read the number
    // in it; none of them relies on a thread or on anything staying alive. So every obligation of
    // `RawWakerVTable` (thread safety, balance of clone and drop) holds with nothing to uphold.
    unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) }
}

/// The node that `waker` wakes, if it is one of ours, in this run.
pub(crate) fn node_of(waker: &Waker, run: RunId) -> Option<NodeId> {
    let (of_run, node) = unpack(waker.data());
    node.filter(|_| ptr::eq(waker.vtable(), &VTABLE) && of_run == run)
}
