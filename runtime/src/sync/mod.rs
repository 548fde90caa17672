//! Synchronisation between the tasks of a run: events, locks, semaphores, limiters, conditions, channels, and the
//! parking lot, from which users build more.
//!
//! All of them are fair. The task that asked first is served first. What is handed over is handed over at once, so no
//! other task can take it in between. None of them leaves the run's thread, so none needs an atomic operation. A task
//! acquires a guard, and gives back what it has acquired when the guard is dropped. Each guard can be forgotten. What
//! is left then is trio's pair of `acquire` and `release`.

pub(crate) mod channel;
mod condition;
mod ends;
mod error;
mod event;
mod limiter;
mod lock;
mod parking_lot;
mod producer;
mod semaphore;

pub use channel::{ChannelStatistics, ReceiverStream};
pub use condition::{Condition, ConditionError};
pub use ends::{Channel, ReceiveChannel, SendChannel};
pub use error::{AcquireError, NotHeld};
pub use event::Event;
pub use limiter::{Borrower, CapacityLimiter, Loan};
pub use lock::{Lock, LockGuard, StrictFifoLock};
pub use parking_lot::{BrokenResource, NotABreaker, ParkError, ParkingLot};
pub use producer::{ProducerReceiver, ProducerSender, with_producer};
pub use semaphore::{Permit, Semaphore};
