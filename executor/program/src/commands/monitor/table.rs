//! The view of a folder for results as text.

use std::fmt::Write as _;

use terzetto_executor::job::{JobReport, JobState};

use super::parts::Parts;

/// The lines of the view: the total of the parts if there are several, and then each job, the newest first.
pub fn lines(jobs: &[JobReport]) -> Vec<String> {
    if jobs.is_empty() {
        return vec!["no jobs".to_owned()];
    }
    let mut lines = Vec::new();
    lines.extend(Parts::of(jobs).map(|parts| total(&parts)));
    // Running jobs are looked at most, and the newest of the others.
    let (running, ended): (Vec<_>, Vec<_>) =
        jobs.iter().rev().partition(|job| job.state == JobState::Running);
    for job in running.into_iter().chain(ended) {
        lines.extend(of_job(job));
    }
    lines
}

/// `parts: 12 of 16 have begun, 3 run: ━━━━──── 120/480, 2 failed, 31.0 a second`
fn total(parts: &Parts) -> String {
    let Parts { count, begun, running, done, failed, expected, rate } = parts;
    let arrived = done + failed;
    let mut text = format!("parts: {begun} of {count} have begun, {running} run: ");
    match expected {
        Some(expected) => text.push_str(&format!("{} {arrived}/{expected}", bar(arrived, *expected))),
        None => text.push_str(&format!("{arrived} results")),
    }
    if *failed > 0 {
        let _ = write!(text, ", {failed} failed");
    }
    if *rate > 0.0 {
        let _ = write!(text, ", {rate:.1} a second");
    }
    text
}

/// Two lines for each job: its state, and its counts. A third one, while it runs: the work that holds it up.
fn of_job(job: &JobReport) -> Vec<String> {
    let name = job.folder.file_name().unwrap_or_default().to_string_lossy();
    let part = job.shard.as_ref().map(|shard| format!(", part {shard}")).unwrap_or_default();
    let host = job.host.as_ref().map(|host| format!(" on {host}")).unwrap_or_default();
    let state = match &job.state {
        JobState::Running => format!("running, process {}{host}", job.pid.unwrap_or(0)),
        JobState::Ended(how) => how.clone(),
        JobState::Killed => "killed".to_owned(),
    };
    let mut lines = vec![
        format!("{name}  {} ({}{part}): {state}", job.topology, job.executor),
        format!("    {}", counts(job)),
    ];
    if job.state == JobState::Running
        && let Some((work, _)) = job.bottleneck()
    {
        lines.push(format!("    bottleneck: {}", work.describe_load(job.works_elapsed)));
    }
    lines
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
