//! Back-off: delays that grow.
//!
//! A service that fails because it is overloaded recovers only if its clients come back later and later. If all clients
//! have failed at the same moment, they also come back at the same moment. Jitter spreads them. Both are as in Marc
//! Brooker's "Exponential Backoff And Jitter" (2015).

use crate::core::seconds::Seconds;

/// The delays between attempts: how long the first is, by how much they grow, and how far chance shortens them.
///
/// ```
/// use terzetto::time::Backoff;
/// let backoff = Backoff::exponential(0.5).at_most(3.0);
/// assert_eq!(backoff.delays().take(5).collect::<Vec<_>>(), [0.5, 1.0, 2.0, 3.0, 3.0]);
/// ```
#[derive(Debug, Clone)]
pub struct Backoff {
    first: f64,
    factor: f64,
    longest: f64,
    jitter: f64,
    seed: Option<u64>,
}

impl Backoff {
    /// Each delay is as long as the one before.
    ///
    /// # Panics
    /// If the time is negative or NaN.
    pub fn constant(delay: impl Seconds) -> Backoff {
        let first = delay.checked_seconds("the delay");
        Backoff { first, factor: 1.0, longest: f64::INFINITY, jitter: 0.0, seed: None }
    }

    /// Each delay is twice as long as the one before.
    ///
    /// # Panics
    /// If the time is negative or NaN.
    pub fn exponential(first: impl Seconds) -> Backoff {
        Backoff::constant(first).factor(2.0)
    }

    /// Each delay is `factor` times as long as the one before.
    ///
    /// # Panics
    /// If it is less than one, infinite or NaN.
    pub fn factor(self, factor: f64) -> Backoff {
        assert!(
            factor >= 1.0 && factor.is_finite(),
            "the factor of a back-off must be a finite number of at least 1, and is {factor}"
        );
        Backoff { factor, ..self }
    }

    /// No delay is longer than this.
    ///
    /// # Panics
    /// If the time is negative or NaN.
    pub fn at_most(self, longest: impl Seconds) -> Backoff {
        Backoff { longest: longest.checked_seconds("the longest delay"), ..self }
    }

    /// Shortens each delay at random, by up to this part of it. With 1 the delay is anything between zero and its full
    /// length, which spreads clients best. Without jitter it is zero.
    ///
    /// # Panics
    /// If the part is not between 0 and 1.
    pub fn jitter(self, part: f64) -> Backoff {
        assert!(
            (0.0..=1.0).contains(&part),
            "the jitter of a back-off must be between 0 and 1, and is {part}"
        );
        Backoff { jitter: part, ..self }
    }

    /// Makes the jitter the same each time: the same seed leads to the same delays.
    ///
    /// ```
    /// use terzetto::time::Backoff;
    /// let delays = |seed| Backoff::constant(1).jitter(0.5).seed(seed).delays().take(3).collect::<Vec<_>>();
    /// assert_eq!(delays(7), delays(7));
    /// assert_ne!(delays(7), delays(8));
    /// ```
    pub fn seed(self, seed: u64) -> Backoff {
        Backoff { seed: Some(seed), ..self }
    }

    /// The delays in seconds, from the first on, without an end.
    pub fn delays(&self) -> Delays {
        let random = self.seed.map_or_else(fastrand::Rng::new, fastrand::Rng::with_seed);
        Delays { next: self.first, backoff: self.clone(), random }
    }
}

/// The delays of a [`Backoff`], in seconds; made by [`Backoff::delays`].
#[derive(Debug, Clone)]
pub struct Delays {
    backoff: Backoff,
    /// The next one, without jitter and without a bound.
    next: f64,
    random: fastrand::Rng,
}

impl Iterator for Delays {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let longest = self.next.min(self.backoff.longest);
        self.next = longest * self.backoff.factor;
        Some(longest * (1.0 - self.backoff.jitter * self.random.f64()))
    }
}
