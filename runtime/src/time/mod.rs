//! Time: the pace at which things are done again and again.
//!
//! [`Retry`] does again what has failed, after the delays of a [`Backoff`]. A [`RateLimiter`] keeps what is done often
//! from being done too often. All of them use the run's clock, so a [mock clock](crate::testing::MockClock) drives them
//! in tests. Sleeping and time limits are at the root of the crate: [`sleep`](crate::sleep()),
//! [`move_on_after`](crate::move_on_after), [`fail_after`](crate::fail_after).

mod backoff;
pub(crate) mod limits;
mod rate_limit;
mod retry;
pub(crate) mod sleep;

pub use backoff::{Backoff, Delays};
pub use rate_limit::RateLimiter;
pub use retry::{GaveUp, Retry};
