//! What could end a wait: who holds what a task waits for, or what outside the run has to happen.
//!
//! Nothing of this is stored for a wait. An [operation](super::operation) is asked when somebody wants to
//! [know why a run stands still](crate::core::lowlevel::survey).

use crate::core::task::handle::Task;

/// What could end a wait, as far as its operation knows.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    pub(crate) ended_by: EndedBy,
    /// The tasks that hold what is waited for. It is empty if they are not known.
    pub(crate) holders: Vec<Task>,
    /// More about it, for a reader: which descriptor, how many senders.
    pub(crate) details: String,
}

/// What kind of thing ends a wait.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EndedBy {
    /// Code of the run.
    #[default]
    Tasks,
    Time,
    Descriptor,
    Thread,
    Signal,
    /// Something that the runtime does not know.
    Foreign,
}

/// Something that knows who could end a wait in one of its queues.
pub(crate) trait Knows {
    /// What could end a wait in this queue of several.
    fn awaited(&self, queue: QueueIndex) -> Awaited;
}

/// The queue of a channel or a limiter in which a task waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum QueueIndex {
    /// The only queue, or that of the senders.
    First,
    /// That of the receivers.
    Second,
}
