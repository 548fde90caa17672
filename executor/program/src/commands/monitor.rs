//! `terzetto monitor`: shows the jobs of a folder for results.

use std::{
    fmt::Write as _,
    io::{IsTerminal, Write as _},
    thread,
    time::Duration,
};

use terzetto_executor::{
    BoxError,
    job::{JobReport, JobState, job_reports},
};

use crate::commands::{args::MonitorArgs, print_line, run::status::Status};

const PERIOD: Duration = Duration::from_millis(500);

pub fn command(args: &MonitorArgs) -> Result<Status, BoxError> {
    let folder = &args.folder;
    if !folder.is_dir() {
        return Err(format!("`{}` is no folder", folder.display()).into());
    }
    let live = !args.once && std::io::stdout().is_terminal();
    loop {
        let jobs = job_reports(folder);
        let text = format!("{}\n\n{}", folder.display(), table(&jobs));
        if !live {
            print_line(text.trim_end());
            return Ok(Status::Done);
        }
        // The cursor goes to the upper left corner. The rest of each old line is cleared, and all lines below.
        let screen = format!("\x1b[H{}\x1b[J", text.replace('\n', "\x1b[K\n"));
        let mut out = std::io::stdout();
        out.write_all(screen.as_bytes()).and_then(|()| out.flush())?;
        if !jobs.is_empty() && jobs.iter().all(|job| job.state != JobState::Running) {
            return Ok(Status::Done);
        }
        thread::sleep(PERIOD);
    }
}

/// Two lines for each job: its state, and its counts.
fn table(jobs: &[JobReport]) -> String {
    if jobs.is_empty() {
        return "no jobs\n".to_owned();
    }
    let mut text = String::new();
    for job in jobs {
        let name = job.folder.file_name().unwrap_or_default().to_string_lossy();
        let part = job.shard.as_ref().map(|shard| format!(", part {shard}")).unwrap_or_default();
        let state = match &job.state {
            JobState::Running => format!("running, process {}", job.pid.unwrap_or(0)),
            JobState::Ended(how) => how.clone(),
            JobState::Killed => "killed".to_owned(),
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{name}  {} ({}{part}): {state}", job.topology, job.executor);
        let _ = writeln!(text, "    {}", counts(job));
    }
    text
}

fn counts(job: &JobReport) -> String {
    let arrived = job.done + job.failed;
    let mut text = match job.expected {
        Some(expected) => format!("{} {arrived}/{expected}", bar(arrived, expected)),
        None => format!("{arrived} results"),
    };
    if job.failed > 0 {
        let _ = write!(text, ", {} failed", job.failed);
    }
    if let Some(elapsed) = job.elapsed {
        let _ = write!(text, ", {:.0} s", elapsed.as_secs_f64());
    }
    if let Some(rate) = job.rate() {
        let _ = write!(text, ", {rate:.1} a second");
    }
    if job.state == JobState::Running
        && let Some(left) = job.left()
    {
        let _ = write!(text, ", {:.0} s left", left.as_secs_f64());
    }
    text
}

fn bar(done: usize, all: usize) -> String {
    const WIDTH: usize = 24;
    let filled = (WIDTH * done.min(all)).checked_div(all).unwrap_or(WIDTH);
    format!("{}{}", "━".repeat(filled), "─".repeat(WIDTH - filled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_never_overflow() {
        for (done, all) in [(0, 0), (0, 5), (3, 5), (5, 5), (9, 5)] {
            assert_eq!(bar(done, all).chars().count(), 24, "{done}/{all}");
        }
    }
}
