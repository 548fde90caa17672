//! Panics for futures that are polled where they must not be.

/// Panics because one of our futures was polled after it had completed.
#[cold]
pub(crate) fn polled_after_its_end() -> ! {
    panic!("a future of terzetto was polled after it had completed")
}

/// Panics because one of our futures was carried into another run.
#[cold]
pub(crate) fn polled_in_another_run() -> ! {
    panic!(
        "a future of terzetto that had begun in one run was polled in another; it can go on only in its own"
    )
}
