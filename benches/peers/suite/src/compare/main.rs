//! Runs every workload on every peer in turns, and writes what came out as a table, as CSV and as a
//! picture. `benches/run` builds what it needs and calls it.

mod build;
mod chart;
mod conditions;
mod options;
mod plan;
mod results;
mod statistics;
mod table;

use conditions::Conditions;
use options::Options;
use plan::Job;
use results::{Results, Sample};
use std::{
    fs,
    io::{self, Write},
    process::{Command, ExitCode, Stdio},
};
use terzetto_peers::measure::{Figures, Metric};

fn main() -> ExitCode {
    let outcome = Options::parse(std::env::args().skip(1)).and_then(|options| compare(&options));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _gone = writeln!(io::stderr(), "compare: {error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options) -> io::Result<()> {
    let conditions = Conditions::now(options);
    let mut results = Results::default();
    for workload in plan::plan(options)? {
        say(&workload.name);
        for round in 0..options.rounds {
            // In turns, and each round begins with another peer: whatever drifts hits all alike.
            let jobs = &workload.jobs;
            for turn in 0..jobs.len() {
                let job = &jobs[(turn + round) % jobs.len()];
                for (metric, value) in run(job)? {
                    let sample = Sample { peer: job.peer, size: &job.size, metric, value };
                    results.add(&workload, &sample);
                }
            }
        }
    }
    write(&conditions, &results, options)?;
    if options.build {
        build::measure(&mut results, say)?;
        write(&conditions, &results, options)?;
    }
    Ok(())
}

fn write(conditions: &Conditions, results: &Results, options: &Options) -> io::Result<()> {
    let table = format!("{conditions}\n{}", table::markdown(results));
    say(&format!("\n{table}"));
    if let Some(folder) = options.out.parent() {
        fs::create_dir_all(folder)?;
    }
    let (csv, markdown, svg) = options.files();
    fs::write(csv, table::csv(results))?;
    fs::write(markdown, table)?;
    fs::write(svg, chart::svg(results))?;
    say(&format!("written: {}.{{csv,md,svg}}", options.out.display()));
    Ok(())
}

/// Runs a job in a process of its own; no figures if the peer has no counterpart.
fn run(job: &Job) -> io::Result<Figures> {
    let [program, arguments @ ..] = job.command.as_slice() else { return Ok(Vec::new()) };
    let output = Command::new(program).args(arguments).stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let failed = || io::Error::other(format!("`{}` failed, saying: {text}", job.command.join(" ")));
    if !output.status.success() {
        return Err(failed());
    }
    let figures = text.lines().filter(|line| *line != "none").map(|line| {
        let (name, value) = line.split_once(' ').ok_or_else(failed)?;
        let metric = Metric::named(name).ok_or_else(failed)?;
        Ok((metric, value.parse().map_err(|_| failed())?))
    });
    figures.collect()
}

fn say(line: &str) {
    let mut out = io::stdout().lock();
    let _gone = writeln!(out, "{line}").and_then(|()| out.flush());
}
