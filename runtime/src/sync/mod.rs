//! Synchronisation between the tasks of a run: events, locks, semaphores, limiters, conditions, channels, and the
//! parking lot, from which users build more.
//!
//! There are several ways to pass values from task to task:
//!
//! | to pass | use |
//! |---|---|
//! | each value to one receiver | [`channel`](crate::channel) |
//! | each value to every receiver | [`broadcast`] |
//! | one value, once | [`oneshot`] |
//! | the latest state of something | [`Watch`] |
//! | only that something has happened | [`Event`] |
//!
//! All of them are fair. The task that asked first is served first. What is handed over is handed over at once, so no
//! other task can take it in between. None of them leaves the run's thread, so none needs an atomic operation. A task
//! acquires a guard, and gives back what it has acquired when the guard is dropped. Each guard can be forgotten. What
//! is left then is trio's pair of `acquire` and `release`.

mod broadcast;
pub(crate) mod channel;
mod condition;
mod ends;
mod error;
mod event;
mod limiter;
mod lock;
mod oneshot;
mod parking_lot;
mod producer;
mod semaphore;
mod watch;

pub use broadcast::{BroadcastReceiveError, BroadcastReceiver, BroadcastSender, SlowReceiver, broadcast};
pub use channel::{ChannelStatistics, ReceiverStream};
pub use condition::{Condition, ConditionError};
pub use ends::{Channel, ReceiveChannel, SendChannel};
pub use error::{AcquireError, NotHeld};
pub use event::Event;
pub use limiter::{Borrower, CapacityLimiter, Loan};
pub use lock::{Lock, LockGuard, StrictFifoLock};
pub use oneshot::{OneshotReceiver, OneshotSender, oneshot};
pub use parking_lot::{BrokenResource, NotABreaker, ParkError, ParkingLot};
pub use producer::{ProducerReceiver, ProducerSender, with_producer};
pub use semaphore::{Permit, Semaphore};
pub use watch::{EventualValues, Watch};
