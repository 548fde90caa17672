//! `terzetto tasks`: shows the tasks of a running program.
//!
//! The program gives snapshots over a socket. A snapshot of very many tasks holds the program up for a moment, and takes
//! time to read. So the view asks the more seldom, the longer that took: at most a two-hundredth of the program's time goes
//! into snapshots, and a twentieth of this program's. `benches/viewer` measures both.

#[cfg(test)]
mod picture;
mod rows;
mod snapshot;
mod view;

use std::{
    fmt::Write as _,
    io::IsTerminal,
    path::PathBuf,
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use ratatui::crossterm::event::{self, Event, KeyEventKind};
use terzetto_executor::BoxError;

use crate::commands::{args::TasksArgs, print_line, run::status::Status};
use rows::{Folding, rows};
use snapshot::Snapshot;
use view::View;

/// The shortest time between two snapshots.
const PERIOD: Duration = Duration::from_secs(1);
/// How often the view looks for new snapshots.
const LOOK: Duration = Duration::from_millis(200);

pub fn command(args: &TasksArgs) -> Result<Status, BoxError> {
    let first = Snapshot::read(&args.socket)?;
    if args.once || !std::io::stdout().is_terminal() {
        print_line(text(&first).trim_end());
        return Ok(Status::Done);
    }
    let snapshots = ask_again_and_again(args.socket.clone(), first.took);
    let mut view = View::default();
    view.show(first);
    let mut terminal = ratatui::try_init()?;
    let ended = (|| -> Result<(), BoxError> {
        loop {
            terminal.draw(|frame| view.draw(frame))?;
            // A key ends the pause, and so does a new snapshot.
            while !event::poll(LOOK)? {
                match snapshots.try_recv() {
                    Ok(Ok(snapshot)) => view.show(snapshot),
                    Ok(Err(error)) => view.error = Some(error),
                    Err(_) => continue,
                }
                terminal.draw(|frame| view.draw(frame))?;
            }
            if let Event::Key(key) = event::read()?
                && key.kind != KeyEventKind::Release
                && !view.key(key.code)
            {
                return Ok(());
            }
        }
    })();
    ratatui::try_restore()?;
    ended.map(|()| Status::Done)
}

/// Asks for snapshots in a thread, so that keys are answered meanwhile. The thread ends with the process.
fn ask_again_and_again(socket: PathBuf, took: f64) -> mpsc::Receiver<Result<Snapshot, String>> {
    let (send, received) = mpsc::channel();
    thread::spawn(move || {
        let mut pause = pause_after(took, Duration::ZERO);
        loop {
            thread::sleep(pause);
            let begun = Instant::now();
            let read = Snapshot::read(&socket);
            pause = pause_after(read.as_ref().map_or(0.0, |snapshot| snapshot.took), begun.elapsed());
            if send.send(read.map_err(|error| error.to_string())).is_err() {
                return;
            }
        }
    });
    received
}

/// How long to wait after a snapshot that has held the program up for `took` seconds and was `read` in that time.
fn pause_after(took: f64, read: Duration) -> Duration {
    let for_program = Duration::try_from_secs_f64(took * 200.0).unwrap_or(PERIOD);
    for_program.max(read * 20).max(PERIOD)
}

/// The tree as text.
fn text(snapshot: &Snapshot) -> String {
    let mut text = format!("{} tasks\n", snapshot.tasks.len());
    for row in rows(snapshot, &Folding::default()) {
        let task = &snapshot.tasks[row.task];
        let count = if row.count > 1 { format!(" ×{}", row.count) } else { String::new() };
        let mark = match (task.stuck, task.is_cancelled()) {
            (true, _) => " (stuck)",
            (_, true) => " (cancelled)",
            _ => "",
        };
        // Writing to a `String` cannot fail.
        let _ = writeln!(
            text,
            "{}{}{count} #{}{mark}: {}",
            "  ".repeat(row.depth.min(40)),
            task.name,
            task.id,
            task.doing()
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{pause_after, text};
    use crate::commands::tasks::{rows::tests::snapshot, snapshot::Snapshot};
    use std::time::Duration;

    #[test]
    fn a_snapshot_that_takes_long_is_asked_for_seldom() {
        assert_eq!(pause_after(0.001, Duration::from_millis(5)), Duration::from_secs(1));
        assert_eq!(pause_after(0.1, Duration::from_millis(5)), Duration::from_secs(20));
        assert_eq!(pause_after(0.0, Duration::from_millis(500)), Duration::from_secs(10));
    }

    #[test]
    fn the_tree_is_printed_as_text() {
        let snapshot = snapshot(&[(2, None, "main", 0.0), (3, Some(2), "stuck", 0.0)]);
        assert_eq!(text(&snapshot), "2 tasks\nmain #2: sleeping\n  stuck #3 (stuck): sleeping\n");
    }

    #[test]
    fn what_is_no_snapshot_is_refused_with_a_reason() {
        for (json, words) in [
            ("hello", "no snapshot"),
            (r#"{"schema":"other-9"}"#, "`other-9`"),
            (r#"{"schema":"terzetto-snapshot-1","error":"the run loop has not answered"}"#, "not answered"),
        ] {
            let error = Snapshot::parse(json).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
    }

    /// The live snapshot of a run, through its socket.
    #[test]
    fn a_running_program_is_shown() {
        let path = std::env::temp_dir().join(format!("terzetto-tasks-{}", std::process::id()));
        let shown = path.clone();
        let builder = terzetto::Builder::new().measure_tasks(true).task_socket(&path).unwrap();
        let text = builder.run(terzetto::nursery(async |n| {
            n.start_soon_named("sleeper", async { Ok(terzetto::sleep_forever().await?) });
            let read =
                terzetto::to_thread::run_sync(move || Snapshot::read(&shown).map(|snapshot| text(&snapshot)));
            let text = read.await?.map_err(|error| terzetto::Error::msg(error.to_string()))?;
            n.cancel_scope().cancel();
            Ok(text)
        }));
        let text = match text {
            Ok(text) => text,
            Err(error) => panic!("{error}"),
        };
        assert!(text.contains("  sleeper #"), "{text}");
        assert!(text.contains(": waiting for a worker thread"), "{text}");
        assert!(Snapshot::read(&path).unwrap_err().to_string().contains("terzetto-tasks-"));
    }
}
