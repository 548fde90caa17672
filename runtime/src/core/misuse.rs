//! Panics for futures that are polled where they must not be.

/// For futures of ours that are polled once more than there is an answer.
#[cold]
pub(crate) fn polled_after_its_end() -> ! {
    panic!("a future of terzetto was polled after it had completed")
}

/// For futures of ours that have been carried into another run.
#[cold]
pub(crate) fn polled_in_another_run() -> ! {
    panic!(
        "a future of terzetto that had begun in one run was polled in another; it can go on only in its own"
    )
}
