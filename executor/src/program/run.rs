//! Running a topology for someone who watches: progress, signals, a summary.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Instant,
};

use terzetto_executor::{BoxError, Ending, ExecutorAsync, Options, Topology, results::remove_leftovers};

use super::{
    args::{LogLevel, RunArgs},
    logging,
    progress::{Progress, Screen},
    say,
    signals::{EndedBy, with_signals},
    status::Status,
};

/// Makes a folder for results and looks whether it can be written to, before hours are spent.
/// Returns the path of the log file in it.
pub fn prepare_folder(folder: &Path, level: LogLevel) -> Result<PathBuf, BoxError> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make the folder `{}`: {error}", folder.display()))?;
    let log = logging::open_file(folder, level.into())
        .map_err(|error| format!("cannot write into the folder `{}`: {error}", folder.display()))?;
    let leftovers = remove_leftovers(folder)
        .map_err(|error| format!("cannot tidy the folder `{}`: {error}", folder.display()))?;
    for path in leftovers {
        log::info!("removed `{}`, left by a run that was killed", path.display());
    }
    Ok(log)
}

/// Runs a topology whose ends will see `total` couples; prints how it went.
pub fn run(topology: Topology, total: usize, args: &RunArgs) -> Result<Status, BoxError> {
    let mut options = Options::new().stop_if_error(args.stop_if_error);
    if let Some(workers) = args.workers {
        options = options.nb_max_workers(workers);
    }
    if let Some(items) = args.queue_max {
        options = options.nb_items_queue_max(items);
    }
    log::info!(
        "terzetto {}: {total} couples, {} workers of each kind, {} items in a queue at most",
        env!("CARGO_PKG_VERSION"),
        options.workers(),
        options.queue_limit()
    );
    let start = Instant::now();
    let mut executor = ExecutorAsync::new(topology, options)?;
    let control = executor.control();
    let progress = Progress::new(total, args.quiet);
    let counts = progress.counts();
    let screen = progress.screen();
    logging::use_screen(screen.clone());
    executor.observe(progress);
    let ended_by = EndedBy::default();
    let ran = terzetto::run(with_signals(&control, &ended_by, executor.run()));
    screen.finish();
    logging::use_screen(Screen::plain());

    let (done, failed) = counts.get();
    let mut line = format!("{done} of {total} couples done");
    if failed > 0 {
        line.push_str(&format!(", {failed} failed"));
    }
    line.push_str(&format!(" in {:.2} s", start.elapsed().as_secs_f64()));
    let (line, status) = match (&ran, ended_by.exit_status()) {
        (Err(error), _) => {
            log::error!("{error}");
            (format!("ended by an error: {line}"), Status::SomeFailed)
        }
        (Ok(_), Some(code)) => (format!("interrupted: {line}"), Status::Interrupted(code)),
        (Ok(outcome), None) if outcome.ending != Ending::Finished => {
            (format!("stopped: {line}"), Status::SomeFailed)
        }
        (Ok(_), None) if failed > 0 => (line, Status::SomeFailed),
        (Ok(_), None) => (line, Status::Done),
    };
    log::info!("{line}");
    say(&line);
    Ok(status)
}
