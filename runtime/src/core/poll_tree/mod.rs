//! The poll tree: who polls whom, and how a wake finds its way.
//!
//! Nodes and nurseries alternate. A [node] is a future that is polled on its own: a task's outermost future, or the
//! body of a nursery. It belongs to the nursery that polls it. A [nursery](nursery_node) belongs to the node whose
//! future holds it, its *parent*. At the top stands a nursery that the run loop polls.
//!
//! # Safety
//!
//! A child may borrow from the frame that opened its nursery. Its node forgets that lifetime, since nodes of all kinds stand
//! in one table. What makes this sound is said here once. Each `// SAFETY:` of the core cites one of these names.
//!
//! | name | what always holds |
//! |---|---|
//! | OWNED | A node's future is polled and dropped by its nursery alone: inside a poll or the drop of that nursery's own future, or through a `&'scope Nursery` while `'scope` lasts. All that the future borrows outlives both. |
//! | EXCLUSIVE | A reference to the future exists only in the state `Polled`, or while `Dropped` is being entered. Both are entered from `Idle` only, and only by whoever then makes the reference. |
//! | PINNED | The future is written once, where it stays until it is dropped. Its memory is freed after that, or never. |
//! | COUNTED | The header of a node is freed when the last reference to the node goes. Only shared references to it are made. |
//! | CLOSED | A nursery's handle cannot leave its block, and a child cannot borrow from the block: both lifetimes of [`Nursery`](crate::Nursery) are invariant, and its body must accept every `'scope`. |
//! | NUMBER | A waker is a number. It keeps nothing alive and refers to nothing. |
//!
//! By situation:
//!
//! - **Poll.** Only [`Nursery`](crate::Nursery) polls nodes, inside the poll of its own future (OWNED). A second poll of the same node, from inside the
//!   first, finds it `Polled` and does nothing (EXCLUSIVE).
//! - **Drop.** A nursery's future that is dropped drops the body first, then the children, then the nursery that they may
//!   refer to (OWNED). Each is dropped in its place (PINNED).
//! - **Forget.** A nursery's future that is forgotten is never polled or dropped again, and so its children are not either:
//!   nobody else may (OWNED). They may dangle, but nobody looks. Their memory stays (PINNED). A scheduler that polled children
//!   directly would have to look; that is why nobody but the nursery polls them.
//! - **Escape.** A handle outside its block could start a child that borrows what has ended. It cannot get there (CLOSED). A
//!   [`Task`](crate::Task) may escape: it is a reference to the node's header (COUNTED), and reaches no future.
//! - **Re-entry.** A child may drop the very future that polls it, through some cell. Its own state is `Polled` then, so its
//!   future is marked, and dropped when that poll has ended (EXCLUSIVE); the nursery's own future cannot be dropped while it is
//!   polled, since that poll holds it by `Pin<&mut>`.
//! - **Panic.** A future that panics has ended: its state is `Idle` again, and it is dropped like any other. A destructor that
//!   panics does not stop the others from being called.
//! - **End of the run.** A run that ends drops its main task's future, and with it all nurseries that hang there. A nursery that
//!   is kept elsewhere keeps the state of its run. It panics if it is polled in another run.

pub(crate) mod fast_path;
pub(crate) mod look;
pub(crate) mod node;
pub(crate) mod nursery_node;
pub(crate) mod poll_path;
pub(crate) mod ready_queue;
pub(crate) mod stack;
pub(crate) mod tree;
pub(crate) mod waker;
pub(crate) mod wrap;
