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
//! Clones are [counted](crate::core::poll_tree::clones), run by run, and nothing else depends on that count. It tells
//! whether anything outside may still wake a run that stands still. The wakers that the runtime polls with are never
//! dropped, so they do not count. No operation of the runtime keeps a clone. It keeps the number.
//!
//! [registry]: crate::core::run::inbox::find

use crate::core::{
    ids::{NodeId, RunId},
    poll_tree::clones,
    run,
    run::inbox,
    table::Key,
};
use std::{
    mem::ManuallyDrop,
    ptr,
    task::{RawWaker, RawWakerVTable, Waker},
};

#[cfg(not(target_pointer_width = "64"))]
compile_error!("terzetto packs a run and a node into one 64-bit word of a waker");

static VTABLE: RawWakerVTable = RawWakerVTable::new(clone, wake_and_drop, wake, drop_clone);

fn clone(data: *const ()) -> RawWaker {
    clones::made(unpack(data).0);
    RawWaker::new(data, &VTABLE)
}

fn wake_and_drop(data: *const ()) {
    wake(data);
    // Whoever finds no clone any more must find the wake, so this comes after it.
    drop_clone(data);
}

fn drop_clone(data: *const ()) {
    clones::dropped(unpack(data).0);
}

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

/// The waker of a node, to poll it with. It is never dropped, so that only clones of it count.
#[inline]
pub(crate) fn new(run: RunId, node: NodeId) -> ManuallyDrop<Waker> {
    let data = ptr::without_provenance(word(run, node));
    // SAFETY: the functions of `VTABLE` never dereference the data word. They only read the number in it, and change a
    // counter that is there for ever. None of them relies on a thread, or on anything that must stay alive (NUMBER). So
    // every obligation of `RawWakerVTable` (thread safety, balance of clone and drop) holds without further conditions.
    ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &VTABLE)) })
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
