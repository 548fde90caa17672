//! Lengths of time, as arguments.

use std::time::Duration;

/// A length of time: a `Duration`, or a number of seconds as in trio, whole or not. Infinity means for ever.
pub trait Seconds {
    /// The length in seconds.
    fn seconds(self) -> f64;

    /// The length, after a check that it makes sense.
    ///
    /// # Panics
    /// If the length is negative or NaN. The message names `argument`.
    fn checked_seconds(self, argument: &str) -> f64
    where
        Self: Sized,
    {
        let seconds = self.seconds();
        assert!(
            seconds >= 0.0,
            "{argument} must be a number of seconds that is not negative, and is {seconds}"
        );
        seconds
    }
}

impl Seconds for f64 {
    fn seconds(self) -> f64 {
        self
    }
}

/// Implements `Seconds` for whole seconds. `i32` is there because a literal without a type is one.
macro_rules! whole_seconds {
    ($($integer:ty),+) => {
        $(impl Seconds for $integer {
            fn seconds(self) -> f64 {
                self as f64
            }
        })+
    };
}

whole_seconds!(i32, i64, u8, u16, u32, u64, usize);

impl Seconds for Duration {
    fn seconds(self) -> f64 {
        self.as_secs_f64()
    }
}
