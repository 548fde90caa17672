//! Deadlocks, as an error of the run.

use std::{error::Error as StdError, fmt};

/// All tasks of a run are blocked, and nothing that exists can wake any of them: there is no deadline, and no task waits
/// for a descriptor, a process, a worker thread or a signal. No token of the run exists, nor a clone of one of its
/// wakers.
///
/// It is the error of the run, whatever the main task returns, so code that swallows errors cannot hide it. (An error of
/// the main task that is no cancellation comes with it, in a group.) It is an error and not a panic, so that every task
/// cleans up: the main task is cancelled, with the source [`CancelSource::Deadlock`](crate::CancelSource::Deadlock). If
/// the tasks do not end by that (one is shielded, or awaits a foreign future), the run stands still once more. Then they
/// are dropped where they are.
///
/// This happens only if [`Builder::on_deadlock`](crate::Builder::on_deadlock) asks for it, or under a
/// [`MockClock`](crate::testing::MockClock): a test should fail, and not wait for its runner to lose patience. Other runs
/// log the report, and go on to sleep. For a server that only Ctrl-C can end, that is what it should do.
///
/// Its text is the report: the tasks that wait for each other in a circle, then what each task waits for, and who holds
/// that. See [`blocked_report`](crate::blocked_report), which tells the same on demand, while a deadline is pending or
/// other tasks go on.
///
/// ```
/// use terzetto::{Builder, Deadlock, channel, testing::MockClock};
/// let outcome = Builder::new().clock(MockClock::autojump()).run(async {
///     let (sender, receiver) = channel::<u32>(1);
///     sender.send(1).await?;
///     // The sender is still there, so the loop does not end.
///     while let Some(_value) = receiver.next().await? {}
///     Ok(())
/// });
/// let error = outcome.unwrap_err();
/// let report = error.downcast_ref::<Deadlock>().unwrap().report();
/// assert!(report.contains("receiving from a channel (1 sender is open: 1 made with the channel at"), "{report}");
/// ```
#[derive(Clone)]
pub struct Deadlock {
    report: String,
}

impl Deadlock {
    pub(crate) fn new(report: String) -> Deadlock {
        Deadlock { report }
    }

    /// The report, in several lines.
    pub fn report(&self) -> &str {
        &self.report
    }
}

impl fmt::Display for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.report)
    }
}

impl fmt::Debug for Deadlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl StdError for Deadlock {}
