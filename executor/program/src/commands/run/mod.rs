//! Runs a topology for a person at a terminal: with progress, signals and a summary.
//!
//! `progress` is the progress bar, `logging` the log, `signals` Ctrl-C and SIGUSR2, `status` the exit status.
//! `hopeless` ends a run that cannot go well. `processes` runs several processes in place of one executor.

mod hopeless;
pub mod logging;
pub mod processes;
pub mod progress;
pub mod signals;
pub mod status;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use terzetto_executor::{
    BoxError, Control, Ending, ExecutorAsync, ExecutorSequential, Gathered, Observer, Options, Outcome,
    Shard, Topology, Unfinished,
    processes::Reporter,
    results::{MANIFESTS, remove_leftovers},
};

use crate::commands::{
    args::{ExecutorChoice, LogLevel, RunArgs},
    print_line,
    run::{
        hopeless::Hopeless,
        logging::JobLogObserver,
        progress::{ItemCount, Progress, Screen},
        signals::{EarlyEnd, EndingSignal, watch},
        status::Status,
    },
};

/// The record of a run in its folder for results.
pub struct Job<'a> {
    /// The folder for results.
    pub folder: &'a Path,
    /// All parameters, as TOML.
    pub params: String,
    pub log_level: LogLevel,
    /// Filters of the log file by module.
    pub log_filter: Option<&'a str>,
    pub lease: Duration,
    /// Whether a Gantt chart is written.
    pub gantt: bool,
    pub shard: Option<Shard>,
}

/// Makes a folder for results, and removes what killed runs have left in it.
pub fn prepare_folder(folder: &Path) -> Result<(), BoxError> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make the folder `{}`: {error}", folder.display()))?;
    let manifests = folder.join(MANIFESTS);
    for folder in [folder, &manifests].into_iter().filter(|folder| folder.is_dir()) {
        let leftovers = remove_leftovers(folder)
            .map_err(|error| format!("cannot tidy the folder `{}`: {error}", folder.display()))?;
        for path in leftovers {
            log::info!("removed `{}`, left by a run that was killed", path.display());
        }
    }
    Ok(())
}

/// Runs a topology and prints how it went. `count` is the number of items that will arrive.
pub fn run(
    topology: Topology,
    count: ItemCount,
    args: &RunArgs,
    job: Option<Job<'_>>,
) -> Result<Status, BoxError> {
    let ItemCount { total, noun } = count;
    let options = options(total, args, job.as_ref());
    log::info!(
        "terzetto {}: {total} {noun}, {} workers of each kind, {} items in a queue at most",
        env!("CARGO_PKG_VERSION"),
        options.get_max_workers(),
        options.get_queue_limit()
    );
    let start = Instant::now();
    let progress = Progress::new(count, args.quiet);
    let counts = progress.counts();
    let screen = progress.screen();
    logging::use_screen(screen.clone());
    let ending_signal = EndingSignal::default();
    let ran = execute(topology, options, args.executor, total, progress, &ending_signal);
    screen.finish();
    logging::use_screen(Screen::plain());

    let (done, failed) = counts.get();
    let summary = Summary { done, failed, count, start };
    let (mut is_complete, mut of_works) = (true, false);
    if let Ok(outcome) = &ran {
        log_unfinished(outcome);
        is_complete = outcome.is_complete();
        of_works = matches!(outcome.ending, Ending::Failed | Ending::GaveUp);
        if let Some(reason) = &outcome.gave_up {
            log::error!("{reason}. What is finished stays: --saving complete goes on with the rest");
        }
    }
    let (early, error) = match ran {
        Ok(outcome) if outcome.ending == Ending::Stopped => (Some(EarlyEnd::Stopped), None),
        Ok(_) => (ending_signal.get(), None),
        Err(error)
            if counts.get() == (0, 0) && error.find::<terzetto_executor::job::JobError>().is_some() =>
        {
            return Err(error.into());
        }
        Err(error) => (None, Some(error)),
    };
    if let Some(error) = &error {
        log::error!("{error}");
    }
    Ok(match summary.print(early, error.is_some() || of_works) {
        Status::Done if !is_complete => Status::SomeFailed,
        status => status,
    })
}

/// Logs the items that have not arrived.
fn log_unfinished(outcome: &Outcome) {
    for Unfinished { at, keys, .. } in &outcome.unfinished {
        match keys.len() {
            0 => log::info!("not finished: `{at}` had not listed everything"),
            count => {
                let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
                log::info!("not finished: {count} in `{at}`: {}", keys.join(", "));
            }
        }
    }
    for Gathered { work, taken, made, .. } in &outcome.gathered {
        log::debug!("`{work}`: {taken} items taken, {made} made of them");
    }
}

fn options(total: usize, args: &RunArgs, job: Option<&Job<'_>>) -> Options {
    let mut options = Options::new().stop_if_error(args.stop_if_error).expected_results(total);
    if let Some(errors) = args.max_errors {
        options = options.max_errors(errors);
    }
    if let Some(workers) = args.workers {
        options = options.max_workers(workers);
    }
    if let Some(items) = args.queue_max {
        options = options.queue_limit(items);
    }
    for (name, amount) in &args.resources {
        options = options.resource(name, *amount);
    }
    if let Some(job) = job {
        options = options
            .results_folder(job.folder)
            .params(job.params.clone())
            .log_level(job.log_level.into())
            .lease(job.lease)
            .gantt_chart(job.gantt);
        logging::set_file_filter(job.log_level.into(), job.log_filter);
        if let Some(shard) = job.shard {
            options = options.shard(shard);
        }
    }
    options
}

/// Runs a topology on the chosen executor.
fn execute(
    topology: Topology,
    options: Options,
    executor: ExecutorChoice,
    total: usize,
    progress: Progress,
    ending_signal: &EndingSignal,
) -> Result<Outcome, terzetto::Error> {
    let prepare = |control: Control, observe: &mut dyn FnMut(Box<dyn Observer>)| {
        observe(Box::new(JobLogObserver));
        observe(Box::new(progress));
        observe(Box::new(Hopeless::new(control.clone())));
        if let Some(reporter) = Reporter::if_supervised() {
            reporter.expect(total);
            reporter.cancel_with_supervisor(control.clone());
            observe(Box::new(reporter));
        }
        watch(control, ending_signal.clone())
    };
    if executor == ExecutorChoice::Sequential {
        let mut executor = ExecutorSequential::new(topology, options)?;
        let _watch = prepare(executor.control(), &mut |observer| executor.observe(observer))?;
        return executor.run();
    }
    let mut executor = match executor {
        ExecutorChoice::AsyncSequential => ExecutorAsync::on_one_thread(topology, options)?,
        _ => ExecutorAsync::new(topology, options)?,
    };
    let _watch = prepare(executor.control(), &mut |observer| executor.observe(observer))?;
    terzetto::run(executor.run())
}

/// The summary at the end of a run.
pub struct Summary {
    pub done: usize,
    pub failed: usize,
    pub count: ItemCount,
    pub start: Instant,
}

impl Summary {
    /// Prints and logs the summary. Returns the exit status.
    pub fn print(&self, early: Option<EarlyEnd>, by_error: bool) -> Status {
        let Summary { done, failed, count: ItemCount { total, noun }, start } = self;
        let mut line = format!("{done} of {total} {noun} done");
        if *failed > 0 {
            line.push_str(&format!(", {failed} failed"));
        }
        line.push_str(&format!(" in {:.2} s", start.elapsed().as_secs_f64()));
        let (line, status) = match early {
            _ if by_error => (format!("ended by an error: {line}"), Status::SomeFailed),
            Some(EarlyEnd::Interrupted(code)) => (format!("interrupted: {line}"), Status::Interrupted(code)),
            Some(EarlyEnd::Stopped) => (format!("stopped: {line}"), Status::SomeFailed),
            None if done + failed < *total || *failed > 0 => (line, Status::SomeFailed),
            None => (line, Status::Done),
        };
        log::info!("{line}");
        print_line(&line);
        status
    }
}
