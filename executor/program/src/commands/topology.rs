//! `terzetto topology`: lists the topologies and draws their graphs. `file` is for those in files.

mod file;

use std::path::{Path, PathBuf};

use terzetto_executor::{
    BoxError, Topology,
    results::{MadeWith, write_atomic},
};
use terzetto_kernels::{
    MultipassParams,
    preprocess::OverTime,
    synth::{Flow, SynthParams},
};
use terzetto_program::{
    params::TemporalSection,
    pipelines::{
        Background, MeanSeries, PivSeries, PreprocessSeries, Preprocessing, SynthSeries, Task, WORKS,
        ensemble, mean, piv, preprocess, synth,
    },
};

use crate::commands::{args::TopologyArgs, print_line, run::status::Status};

const NAMES: [(&str, &str); 6] = [
    ("piv", "displacements in couples of images, with everything that can be done to them first"),
    ("bos", "displacements in images against a reference"),
    ("ensemble", "one field of displacements of all couples of images"),
    ("preprocess", "filtered images, over time, too"),
    ("mean", "statistics of a series of images"),
    ("synth", "synthetic images with known displacements"),
];

pub fn command(args: &TopologyArgs) -> Result<Status, BoxError> {
    if args.works {
        WORKS.iter().for_each(|(name, what)| print_line(&format!("{name:14} {what}")));
        return Ok(Status::Done);
    }
    let Some(name) = &args.name else {
        for (name, what) in NAMES {
            print_line(&format!("{name:10} {what}"));
        }
        return Ok(Status::Done);
    };
    if Path::new(name).extension().is_some_and(|ending| ending == "toml") {
        return file::command(Path::new(name), args);
    }
    if args.run || args.dry_run || !args.resource.is_empty() {
        let hint =
            format!("`terzetto {name} IMAGES` runs this topology, and `--dry-run` lists what it would do");
        return Err(
            format!("--run, --dry-run and --resource are for topologies in .toml files: {hint}").into()
        );
    }
    draw(&by_name(name)?, args.graph.as_deref())?;
    Ok(Status::Done)
}

/// Prints the works, or draws the graph.
fn draw(topology: &Topology, graph: Option<&Path>) -> Result<(), BoxError> {
    match graph {
        None => print_line(&describe(topology)),
        Some(path) if path == Path::new("-") => print_line(topology.to_dot().trim_end()),
        Some(path) => {
            let picture = match path.extension().and_then(|ending| ending.to_str()) {
                Some("svg") => topology.to_svg(),
                Some("dot" | "gv") => topology.to_dot(),
                _ => return Err(format!("`{}` does not end in .svg or .dot", path.display()).into()),
            };
            write_atomic(path, picture.as_bytes())?;
        }
    }
    Ok(())
}

/// A topology without images, for its graph only.
fn by_name(name: &str) -> Result<Topology, BoxError> {
    let folder = PathBuf::new();
    match name {
        "piv" => Ok(piv(PivSeries { preprocessing: preprocessing(), ..empty_series(folder) })),
        "bos" => Ok(piv(PivSeries { task: Task::Bos, ..empty_series(folder) })),
        "ensemble" => Ok(ensemble(empty_series(folder))),
        "preprocess" => Ok(preprocess(PreprocessSeries {
            images: Vec::new(),
            own: Vec::new(),
            preprocessing: preprocessing(),
            temporal: Some(TemporalSection::default()),
            folder,
            made_with: MadeWith::default(),
        })),
        "mean" => Ok(mean(MeanSeries {
            images: Vec::new(),
            folder,
            params_toml: String::new(),
            made_with: MadeWith::default(),
        })),
        "synth" => {
            let flow = Flow::Uniform { dx: 0.0, dy: 0.0 };
            Ok(synth(SynthSeries { pairs: 0, params: SynthParams::default(), flow, folder }))
        }
        _ => {
            let names = NAMES.map(|(name, _)| name).join(", ");
            Err(format!(
                "there is no topology `{name}`; there are: {names}; a file of your own ends in .toml"
            )
            .into())
        }
    }
}

fn empty_series(folder: PathBuf) -> PivSeries {
    PivSeries::new(Vec::new(), MultipassParams::default(), folder)
}

fn preprocessing() -> Preprocessing {
    let background = Some(Background::Series(OverTime::Minimum, Vec::new()));
    Preprocessing { background, ..Preprocessing::default() }
}

fn describe(topology: &Topology) -> String {
    let line = |work: terzetto_executor::graph::WorkInfo<'_>| {
        let (inputs, outputs) = (list(&work.inputs), list(&work.outputs));
        format!("{:24} {:9} {inputs} -> {outputs}{}", work.name, work.kind.to_string(), settings(&work))
    };
    topology.works().map(line).collect::<Vec<_>>().join("\n")
}

/// What is said of one work alone.
fn settings(work: &terzetto_executor::graph::WorkInfo<'_>) -> String {
    let mut parts = Vec::new();
    parts.extend(work.max_workers.map(|workers| format!("max_workers = {workers}")));
    parts.extend((work.priority != 0).then(|| format!("priority = {}", work.priority)));
    parts.extend(work.uses.iter().map(|(name, amount)| format!("uses {amount} of {name}")));
    if parts.is_empty() { String::new() } else { format!("  ({})", parts.join(", ")) }
}

fn list(queues: &[&str]) -> String {
    if queues.is_empty() { "()".to_owned() } else { queues.join(", ") }
}
