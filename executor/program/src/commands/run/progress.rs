//! The progress of a run: a bar on a terminal, plain lines elsewhere.

use std::{
    fmt::Write,
    io::{IsTerminal, Write as _},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use terzetto_executor::{ItemError, Key, Observer, processes::Report};

/// Where lines of text go during a run.
#[derive(Clone)]
pub struct Screen(Option<ProgressBar>);

impl Screen {
    /// A screen without a bar: lines go to the standard error output.
    pub fn plain() -> Screen {
        Screen(None)
    }

    /// Prints a line, above the bar if there is one.
    pub fn line(&self, text: &str) {
        let print = || {
            // It fails if the terminal is gone. Then nobody reads the line.
            let _ = writeln!(std::io::stderr(), "{text}");
        };
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    /// Removes the bar.
    pub fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// How many items have arrived with a value, and as errors. Clones are the same counts.
#[derive(Clone, Default)]
pub struct ArrivalCounts(Arc<[AtomicUsize; 2]>);

impl ArrivalCounts {
    /// The number with a value, and the number of errors.
    pub fn get(&self) -> (usize, usize) {
        (self.0[0].load(Relaxed), self.0[1].load(Relaxed))
    }

    fn add(&self, failed: bool) {
        self.0[usize::from(failed)].fetch_add(1, Relaxed);
    }
}

/// How many items a run has, and what they are called.
#[derive(Clone, Copy, Debug)]
pub struct ItemCount {
    pub total: usize,
    /// Such as `couples`.
    pub noun: &'static str,
}

/// ArrivalCounts the items of a run.
pub struct Progress {
    count: ItemCount,
    counts: ArrivalCounts,
    start: Instant,
    quiet: bool,
    screen: Screen,
    last_line: Mutex<Option<Instant>>,
}

/// Plain lines are printed no more often than this.
const LINE_PERIOD: Duration = Duration::from_secs(2);

impl Progress {
    pub fn new(count: ItemCount, quiet: bool) -> Progress {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(count.total as u64);
            let template = format!(
                "{{bar:32}} {{pos}}/{{len}} {} · {{rate}} · {{elapsed}} so far, {{eta}} left {{msg}}",
                count.noun
            );
            // A wrong template would be a mistake in this file. A bar in the plain style is better than none.
            if let Ok(style) = ProgressStyle::with_template(&template) {
                let rate = |state: &ProgressState, out: &mut dyn Write| {
                    let _ = write!(out, "{:.1} a second", state.per_sec());
                };
                bar.set_style(style.progress_chars("━╸─").with_key("rate", rate));
            }
            bar.enable_steady_tick(Duration::from_millis(250));
            bar
        });
        Progress {
            count,
            counts: ArrivalCounts::default(),
            start: Instant::now(),
            quiet,
            screen: Screen(bar),
            last_line: Mutex::new(None),
        }
    }

    /// The screen that this progress is shown on.
    pub fn screen(&self) -> Screen {
        self.screen.clone()
    }

    /// The counts. The progress itself is given to the executor.
    pub fn counts(&self) -> ArrivalCounts {
        self.counts.clone()
    }

    /// Records the report of another process.
    pub fn record(&self, report: &Report) {
        match report {
            Report::Done(_) => self.add(false),
            Report::Failed(..) => self.add(true),
            _ => {}
        }
    }

    fn add(&self, failed: bool) {
        self.counts.add(failed);
        self.show();
    }

    fn show(&self) {
        let (done, failed) = self.counts.get();
        if let Some(bar) = &self.screen.0 {
            if failed > 0 {
                bar.set_message(format!("· {failed} failed"));
            }
            bar.set_position((done + failed) as u64);
            return;
        }
        let mut last_line = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = done + failed == self.count.total;
        if self.quiet || (!is_last && last_line.is_some_and(|time| time.elapsed() < LINE_PERIOD)) {
            return;
        }
        *last_line = Some(Instant::now());
        let text = plain_line(done, failed, self.count, self.start.elapsed());
        self.screen.line(&text);
    }
}

/// `12/100 couples, 8.3 a second, 11 s left`
fn plain_line(done: usize, failed: usize, count: ItemCount, elapsed: Duration) -> String {
    let ItemCount { total, noun } = count;
    let arrived = done + failed;
    let rate = arrived as f64 / elapsed.as_secs_f64().max(1e-6);
    let left = (total - arrived.min(total)) as f64 / rate.max(1e-6);
    let mut text = format!("{arrived}/{total} {noun}, {rate:.1} a second, {left:.0} s left");
    if failed > 0 {
        text.push_str(&format!(", {failed} failed"));
    }
    text
}

impl Observer for Progress {
    fn arrived(&self, _: &Key, error: Option<&ItemError>) {
        self.add(error.is_some());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_tell_rate_and_rest() {
        let line = plain_line(9, 1, ItemCount { total: 30, noun: "couples" }, Duration::from_secs(5));
        assert_eq!(line, "10/30 couples, 2.0 a second, 10 s left, 1 failed");
    }
}
