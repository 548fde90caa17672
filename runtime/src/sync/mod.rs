//! Synchronisation between the tasks of a run: events, locks, semaphores, limiters, conditions,
//! channels, and the parking wait queue to build more from.
//!
//! All of them are fair: who asked first is served first, and what is handed over is handed over at
//! once, so that nobody can barge in between. None of them leaves the run's thread, so none costs an
//! atomic operation. What is acquired is a guard that gives it back when dropped; each guard can be
//! forgotten, which leaves trio's pair of `acquire` and `release`.

pub mod channel;
mod condition;
mod ends;
mod error;
mod event;
mod exchange;
mod limiter;
mod lock;
mod parking_lot;
mod producer;
mod semaphore;
mod stream;
mod transfer;

pub use channel::{ChannelStatistics, ReceiveError, Receiver, SendError, SendFailure, Sender, channel};
pub use condition::{Condition, ConditionError};
pub use ends::{Channel, ReceiveChannel, SendChannel};
pub use error::{AcquireError, NotHeld};
pub use event::Event;
pub use limiter::{Borrower, CapacityLimiter, Loan};
pub use lock::{Lock, LockGuard, StrictFifoLock};
pub use parking_lot::{BrokenResource, NotABreaker, ParkError, ParkingLot};
pub use producer::{ProducerReceiver, ProducerSender, with_producer};
pub use semaphore::{Permit, Semaphore};
pub use stream::ReceiverStream;
