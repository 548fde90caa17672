//! The poll tree: which future polls which, and how a wake reaches the run loop.
//!
//! Nodes and nurseries alternate. A [node] is a future that is polled on its own: a task's outermost future, or the
//! body of a nursery. A node belongs to the nursery that polls it. A [nursery](nursery_node) belongs to the node
//! whose future holds it. That node is usually its *parent*. The parent of the root nursery is the run loop. The
//! parent of a nursery that something foreign polls is that foreign thing's waker.
//!
//! # Safety
//!
//! A child may borrow from the frame that opened its nursery. Its node forgets that lifetime, since one table holds
//! all nodes, whatever they borrow. This chapter says, once, what makes that sound. A `// SAFETY:` comment of the
//! core cites one of these names. Where `unsafe` is about something else, its comment says all that matters: the layout
//! of a node's memory, system calls, and the lock-free [queue](crate::core::run::inbox).
//!
//! | name | what always holds |
//! |---|---|
//! | OWNED | Only its nursery polls a node's future, in a poll of the nursery's own future. Only its nursery drops it: in that poll, in the drop of the nursery's future, or in code that has a `&'scope Nursery`. What the future borrows outlives `'scope` and the nursery's future, whose type names `'env`: [`nursery`](crate::nursery()) returns an `impl Future`, which captures all lifetimes of its arguments since edition 2024. The run loop owns and polls the main future, and the one that serves the system tasks. Their nodes hold an empty future, and only stand for them in the tree. |
//! | EXCLUSIVE | A reference to the future exists only during its poll (states `Polled` and `Abandoned`), and during its drop, when the state is already `Dropped`. Each begins by leaving the state `Idle`, and only the code that changes the state from `Idle` makes the reference. |
//! | PINNED | The future is written once, and stays in that place until it is dropped. If dropping it does something, its memory is freed only after that, or never. |
//! | COUNTED | The header of a node is freed when the last reference to the node goes. All references to the header are shared ones. |
//! | CLOSED | A nursery's handle cannot leave its block, and a child cannot borrow from the block: both lifetimes of [`Nursery`](crate::Nursery) are invariant, and its body must accept every `'scope`. |
//! | NUMBER | A waker is a number. It keeps nothing alive and points to nothing. |
//! | CURRENT | The thread's current run stays alive while code runs that looks at it. The function that sets a run as the current one holds a reference to it, and unsets it before it returns, or its caller does. Code that sets another run in between keeps the former one, and puts it back. |
//! | WAITS | What a wait leaves with the run is `'static`, and points into no future. So a cancellation or a deadline may call an abort function though the task's future was forgotten. |
//!
//! By situation:
//!
//! - **Poll.** Only [`Nursery`](crate::Nursery) polls nodes that borrow, inside the poll of its own future (OWNED). If
//!   code inside that poll tries to poll the same node again, it finds the node `Polled` and does nothing (EXCLUSIVE).
//! - **Drop.** When a nursery's future is dropped, it drops the body first, then the children, then the nursery that
//!   they may refer to (OWNED). Each is dropped in its place (PINNED).
//! - **Forget.** A future that was polled is pinned, so it is forgotten only together with the box that it is in, or
//!   with the future around it, and its own memory stays. If a nursery's future is forgotten, it is never polled or
//!   dropped again. Then its body and its children are never polled or dropped either, since nobody else may do that
//!   (OWNED). Their borrows may dangle, but nothing reads them. A wake reaches only headers and queues. A
//!   cancellation, a deadline and the end of the run reach only waits (WAITS). The children's memory stays, since the
//!   forgotten nursery still counts as a reference to them (COUNTED, PINNED). It also keeps the state of the run. A
//!   scheduler that polled children directly would read those borrows. That is why only the nursery polls them.
//! - **Escape.** A nursery's handle outside its block could start a child that borrows what has ended. The handle
//!   cannot leave the block (CLOSED). A [`Task`](crate::Task) may escape. It is a reference to the node's header
//!   (COUNTED), and reaches no future.
//! - **Re-entry.** A child may, through some cell, drop the call of [`start`](crate::Nursery::start) that waits for it,
//!   and so itself. Its state is `Polled` at that time. So its future is only marked, and is dropped when its poll has
//!   ended (EXCLUSIVE). The nursery's own future cannot be dropped during its poll, since that poll holds it by
//!   `Pin<&mut>`.
//! - **Panic.** A future that panics has ended. Its state is `Idle` again, and it is dropped like any other. If a
//!   destructor panics, the other destructors still run. A panic in the nursery's own poll unwinds through its future,
//!   which then drops body and children, all of them `Idle`.
//! - **End of the run.** A run that ends drops its main task's future, and with it all nurseries below. A nursery
//!   that is kept elsewhere keeps the state of its run alive. It panics if it is polled in another run.

pub(crate) mod clones;
pub(crate) mod fast_path;
pub(crate) mod inspect;
pub(crate) mod node;
pub(crate) mod nursery_node;
pub(crate) mod order;
pub(crate) mod poll_path;
pub(crate) mod ready_queue;
pub(crate) mod stack;
pub(crate) mod tree;
pub(crate) mod wake;
pub(crate) mod waker;
pub(crate) mod wrap;
