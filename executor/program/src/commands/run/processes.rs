//! `--executor multi`: several processes compute a series.

use std::{env, process::Command, time::Instant};

use terzetto_executor::{
    BoxError,
    processes::Processes,
    results::{SavingPlan, time_in},
};

use crate::commands::{
    args::{InParts, Part, RunArgs, SavingChoice},
    run::{
        Summary, logging,
        progress::{ItemCount, Progress, Screen},
        signals::{EndingSignal, watch},
        status::Status,
    },
};

/// Starts the processes and shows their progress.
pub fn run(
    args: &(impl InParts + Clone + 'static),
    run: &RunArgs,
    plan: &SavingPlan,
    count: ItemCount,
) -> Result<Status, BoxError> {
    let program = env::current_exe()?;
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    let number = run.processes.unwrap_or(cores).min(count.total.max(1));
    let began = time_in(&plan.folder)?;
    let (own, SavingPlan { folder: out, complete }) = (args.clone(), plan.clone());
    let mut processes = Processes::new(number, move |task| {
        let saving = if complete || task.again { SavingChoice::Complete } else { SavingChoice::Recompute };
        // A process that takes over must not count results of earlier runs as done.
        let done_since = (task.again && !complete).then_some(began);
        let mut command = Command::new(&program);
        command.args(own.part(Part { out: &out, shard: task.shard, saving, done_since }));
        command
    });
    let start = Instant::now();
    let progress = Progress::new(count, run.quiet);
    let screen = progress.screen();
    logging::use_screen(screen.clone());
    processes.listen(move |report| progress.record(report));
    processes.stop_if_error(run.stop_if_error);
    processes.grace(run.grace);
    let ending_signal = EndingSignal::default();
    let watching = watch(processes.control(), ending_signal.clone())?;
    let ran = terzetto::run(processes.run());
    drop(watching);
    screen.finish();
    logging::use_screen(Screen::plain());
    let outcome = ran?;
    let summary = Summary { done: outcome.done, failed: outcome.failed.len(), count, start };
    Ok(summary.print(ending_signal.get(), run.stop_if_error && !outcome.given_up.is_empty()))
}
