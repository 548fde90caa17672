//! The view on a terminal, again and again until all jobs have ended.
//!
//! It is shown on the terminal's second screen, as editors do: what was on the terminal before is there again in the
//! end. Lines that are too long, or too many, are cut. They would make the terminal scroll.

use std::{
    io::Write,
    path::Path,
    sync::{Arc, atomic::AtomicUsize, atomic::Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use terzetto_executor::{
    BoxError,
    job::{JobState, job_reports},
};

use super::view;
use crate::commands::{print_line, run::status::Status};

const PERIOD: Duration = Duration::from_millis(500);

/// How often it is looked whether a signal has come.
const LOOK_PERIOD: Duration = Duration::from_millis(50);

/// The second screen of the terminal, without a cursor, until this is dropped.
struct SecondScreen;

impl SecondScreen {
    fn open() -> SecondScreen {
        write("\x1b[?1049h\x1b[?25l");
        SecondScreen
    }
}

impl Drop for SecondScreen {
    fn drop(&mut self) {
        write("\x1b[?25h\x1b[?1049l");
    }
}

fn write(text: &str) {
    let mut out = std::io::stdout();
    // It fails if the terminal is gone. A signal says so, too.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

pub fn show(folder: &Path) -> Result<Status, BoxError> {
    let signal = signals()?;
    let screen = SecondScreen::open();
    loop {
        let (rows, columns) = console::Term::stdout().size();
        let text = fit(&view(folder), rows.into(), columns.into()).join("\x1b[K\n");
        // The cursor goes to the upper left corner. The rest of each old line is cleared, and all lines below.
        write(&format!("\x1b[H{text}\x1b[K\x1b[J"));
        let jobs = job_reports(folder);
        if !jobs.is_empty() && jobs.iter().all(|job| job.state != JobState::Running) {
            drop(screen);
            print_line(&view(folder).join("\n"));
            return Ok(Status::Done);
        }
        let until = Instant::now() + PERIOD;
        while Instant::now() < until {
            if let Ok(signal @ 1..) = u8::try_from(signal.load(Relaxed)) {
                return Ok(Status::Interrupted(128 + signal));
            }
            thread::sleep(LOOK_PERIOD);
        }
    }
}

/// The signal that has come, or 0. Without this, a Ctrl-C would leave the terminal on its second screen.
fn signals() -> Result<Arc<AtomicUsize>, BoxError> {
    let came = Arc::new(AtomicUsize::new(0));
    #[cfg(unix)]
    crate::commands::run::signals::unblock();
    #[cfg(unix)]
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP] {
        signal_hook::flag::register_usize(signal, came.clone(), signal.unsigned_abs() as usize)?;
    }
    Ok(came)
}

/// The lines that a terminal has room for. If there are more, the last one says how many.
fn fit(lines: &[String], rows: usize, columns: usize) -> Vec<String> {
    let cut = |line: &String| line.chars().take(columns).collect::<String>();
    if lines.len() <= rows {
        return lines.iter().map(cut).collect();
    }
    let shown = rows.saturating_sub(1);
    let mut fitting: Vec<String> = lines[..shown].iter().map(cut).collect();
    fitting.push(cut(&format!("… and {} more lines", lines.len() - shown)));
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_view_never_makes_the_terminal_scroll() {
        let lines: Vec<String> = (0..40).map(|n| format!("{n} {}", "━".repeat(100))).collect();
        for (rows, columns) in [(24, 80), (10, 20), (1, 5), (40, 80), (41, 200)] {
            let fitting = fit(&lines, rows, columns);
            assert!(fitting.len() <= rows, "{rows}");
            assert!(fitting.iter().all(|line| line.chars().count() <= columns), "{columns}");
        }
        assert_eq!(fit(&lines, 10, 80)[9], "… and 31 more lines");
        assert_eq!(fit(&lines, 40, 200), lines);
    }
}
