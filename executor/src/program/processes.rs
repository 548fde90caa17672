//! `--executor multi`: the couples of a folder, computed by several processes.

use std::{env, path::Path, process::Command, time::Instant};

use terzetto_executor::{BoxError, processes::Processes};

use super::{
    args::{PivArgs, SavingChoice},
    logging,
    progress::{Progress, Screen},
    run::Summary,
    signals::{EndedBy, watch},
    status::Status,
};

/// Starts the processes and shows their progress; `total` couples are to be computed into `out`.
pub fn run(args: &PivArgs, out: &Path, complete: bool, total: usize) -> Result<Status, BoxError> {
    let program = env::current_exe()?;
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let count = args.run.processes.unwrap_or(cores).min(total.max(1));
    let (own, out) = (args.clone(), out.to_owned());
    let mut processes = Processes::new(count, move |task| {
        let saving = if complete || task.again { SavingChoice::Complete } else { SavingChoice::Recompute };
        let mut command = Command::new(&program);
        command.args(own.part(&out, task.shard, saving));
        command
    });
    let start = Instant::now();
    let progress = Progress::new(total, args.run.quiet);
    let screen = progress.screen();
    logging::use_screen(screen.clone());
    processes.listen(move |report| progress.hear(report));
    processes.stop_if_error(args.run.stop_if_error);
    let ended_by = EndedBy::default();
    let watching = watch(processes.control(), ended_by.clone())?;
    let ran = terzetto::run(processes.compute());
    drop(watching);
    screen.finish();
    logging::use_screen(Screen::plain());
    let outcome = ran?;
    let summary = Summary { done: outcome.done, failed: outcome.failed.len(), total, start };
    Ok(summary.tell(ended_by.get(), args.run.stop_if_error && !outcome.given_up.is_empty()))
}
