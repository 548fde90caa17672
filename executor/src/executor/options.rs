//! How much may run and wait at once.

use std::thread::available_parallelism;

/// How much may run and wait at once, and what an error does. The defaults are fluidimage's.
///
/// ```
/// use terzetto_executor::Options;
///
/// let options = Options::new().nb_max_workers(4);
/// assert_eq!(options.queue_limit(), 16);
/// let options = options.nb_items_queue_max(2).stop_if_error(true);
/// assert_eq!(options.queue_limit(), 2);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    nb_max_workers: usize,
    nb_items_queue_max: Option<usize>,
    stop_if_error: bool,
}

impl Options {
    /// The defaults for this machine.
    pub fn new() -> Self {
        let cores = available_parallelism().map_or(1, |cores| cores.get());
        Options { nb_max_workers: default_workers(cores), nb_items_queue_max: None, stop_if_error: false }
    }

    /// How many io works, and apart from them how many cpu works, may run at once; at least 1.
    /// Default: two more than the machine has cores if these are fewer than 16, else the number of
    /// cores.
    #[must_use]
    pub fn nb_max_workers(mut self, workers: usize) -> Self {
        self.nb_max_workers = workers.max(1);
        self
    }

    /// How many items may wait in a queue between works; at least 1. Default: four for each worker,
    /// at least 8.
    #[must_use]
    pub fn nb_items_queue_max(mut self, items: usize) -> Self {
        self.nb_items_queue_max = Some(items.max(1));
        self
    }

    /// Should the first error of an item end the whole run? Default: no, the item's error is kept
    /// and the others go on.
    #[must_use]
    pub fn stop_if_error(mut self, stop: bool) -> Self {
        self.stop_if_error = stop;
        self
    }

    /// The limit of workers of each kind in force.
    pub fn workers(&self) -> usize {
        self.nb_max_workers
    }

    /// The limit of items in a queue in force.
    pub fn queue_limit(&self) -> usize {
        self.nb_items_queue_max.unwrap_or_else(|| self.nb_max_workers.saturating_mul(4).max(8))
    }

    /// Does the first error of an item end the run?
    pub fn stops_if_error(&self) -> bool {
        self.stop_if_error
    }
}

impl Default for Options {
    fn default() -> Self {
        Options::new()
    }
}

fn default_workers(cores: usize) -> usize {
    if cores < 16 { cores + 2 } else { cores }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_follow_the_cores() {
        assert_eq!(default_workers(1), 3);
        assert_eq!(default_workers(15), 17);
        assert_eq!(default_workers(16), 16);
    }

    #[test]
    fn zero_is_one() {
        let options = Options::new().nb_max_workers(0).nb_items_queue_max(0);
        assert_eq!((options.workers(), options.queue_limit()), (1, 1));
    }
}
