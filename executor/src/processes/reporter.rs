//! The process's side of the reports.

use std::{
    io::{Read, Write},
    thread,
};

use super::{PARENT_VARIABLE, Report};
use crate::{
    graph::{ItemError, Key},
    run::{Control, Observer},
};

/// An observer that reports each item to the supervisor, on the standard output.
pub struct Reporter(());

impl Reporter {
    /// The reporter of this process, if [`Processes`](super::Processes) has started it.
    pub fn if_supervised() -> Option<Reporter> {
        std::env::var_os(PARENT_VARIABLE).map(|_| Reporter(()))
    }

    /// Reports how many items the process has to compute. Call it before the run.
    pub fn expect(&self, count: usize) {
        print(&Report::Expected(count));
    }

    /// Cancels the run when the supervisor has ended. Without it, nobody would start a process for what is
    /// missing.
    pub fn cancel_with_supervisor(&self, control: Control) {
        let watch = move || {
            let mut buffer = [0; 64];
            while matches!(std::io::stdin().read(&mut buffer), Ok(1..)) {}
            control.cancel();
        };
        if let Err(error) = thread::Builder::new().name("supervisor's end".into()).spawn(watch) {
            log::warn!("cannot watch for the supervisor's end: {error}");
        }
    }
}

impl Observer for Reporter {
    fn arrived(&self, key: &Key, error: Option<&ItemError>) {
        let key = key.to_string();
        print(&match error {
            None => Report::Done(key),
            Some(error) => Report::Failed(key, error.to_string()),
        });
    }
}

fn print(report: &Report) {
    // A line is one write. If the supervisor has ended, the write fails and the run is cancelled anyway.
    let _ = std::io::stdout().lock().write_all(format!("{report}\n").as_bytes());
}
