//! One part of a series: its processes, one after the other, until it is computed or given up.

use std::{
    process::{self, ExitStatus},
    sync::{Arc, Mutex, atomic::Ordering::SeqCst},
};

use terzetto::Error;

use super::{
    PARENT_VARIABLE, Processes, ProcessesOutcome, Report, Task, child, lock, running::RunningProcesses,
};
use crate::shard::Shard;

/// A part is given up when so many of its processes in a row have died without finishing an item.
const MAX_FRUITLESS: usize = 2;

/// What the processes of a part have reported.
#[derive(Default)]
struct PartProgress {
    /// How many items the first process had to compute.
    expected: Option<usize>,
    done: usize,
    failed: Vec<(String, String)>,
    /// Has the present process finished an item?
    is_fruitful: bool,
}

impl Processes {
    /// Runs a process for a part. If it dies, runs another one.
    pub(super) async fn run_part(
        &self,
        shard: Shard,
        running: &RunningProcesses,
        outcome: &Mutex<ProcessesOutcome>,
    ) -> Result<(), Error> {
        let progress = Arc::new(Mutex::new(PartProgress::default()));
        let is_ending = || self.control.is_ending.load(SeqCst);
        let mut fruitless = 0;
        let mut again = false;
        loop {
            let mut command = (self.command)(Task { shard, again });
            command.env(PARENT_VARIABLE, process::id().to_string());
            let (reported, listener) = (progress.clone(), self.listener.clone());
            lock(&progress).is_fruitful = false;
            let status = child::run(command, running, self.grace, |line| match Report::parse(line) {
                Some(report) => {
                    lock(&reported).record(&report);
                    listener(&report);
                }
                None => log::info!("part {shard}: {line}"),
            })
            .await?;
            let Some(death) = death(status).filter(|_| !is_ending()) else {
                break;
            };
            lock(outcome).deaths += 1;
            fruitless = if lock(&progress).is_fruitful { 0 } else { fruitless + 1 };
            if fruitless == MAX_FRUITLESS {
                log::error!("the process for part {shard} {death} again: the part is given up");
                lock(outcome).given_up.push((shard, death));
                break;
            }
            log::error!("the process for part {shard} {death}: another one takes over its items");
            again = true;
        }
        let mut progress = lock(&progress);
        let mut outcome = lock(outcome);
        if let Some(reason) = progress.unfinished()
            && fruitless < MAX_FRUITLESS
            && !is_ending()
        {
            log::error!("the process for part {shard} {reason}");
            outcome.given_up.push((shard, reason));
            if self.stop_if_error {
                self.control.stop();
            }
        }
        outcome.done += progress.done;
        outcome.failed.append(&mut progress.failed);
        Ok(())
    }
}

impl PartProgress {
    fn record(&mut self, report: &Report) {
        match report {
            Report::Expected(count) => {
                // A later process reports how many items are missing. All others are done, whether they
                // were reported or not.
                let first = *self.expected.get_or_insert(*count);
                self.done = first.saturating_sub(*count);
                self.failed.clear();
            }
            Report::Done(_) => {
                self.done += 1;
                self.is_fruitful = true;
            }
            Report::Failed(key, error) => {
                self.failed.push((key.clone(), error.clone()));
                self.is_fruitful = true;
            }
        }
    }

    /// Why the part is not computed, if it is not.
    fn unfinished(&self) -> Option<String> {
        let Some(expected) = self.expected else {
            return Some("ended without a word about what it had to compute".to_owned());
        };
        let missing = expected.saturating_sub(self.done + self.failed.len());
        (missing > 0).then(|| {
            format!("ended before everything was computed: {missing} of {expected} items are missing")
        })
    }
}

/// How a process has died. `None` if it has ended in an orderly way: status 0 if all went well, 1 if some items
/// failed, 130 if it was interrupted.
fn death(status: ExitStatus) -> Option<String> {
    match status.code() {
        Some(0 | 1 | 130) => None,
        Some(code) => Some(format!("ended with status {code}")),
        None => Some(format!("was killed ({status})")),
    }
}
