//! `terzetto synth`: a series whose displacements are known.

use std::{fs, path::Path};

use terzetto_executor::{
    BoxError,
    results::{remove_leftovers, write_atomic},
};
use terzetto_program::pipelines::{SynthSeries, synth};

use crate::commands::{
    args::{RunArgs, SceneArgs, SynthArgs},
    run::{progress::Count, run, status::Status},
    say,
    synthetic::Scene,
};

pub fn command(args: &SynthArgs) -> Result<Status, BoxError> {
    let status = make(&args.folder, &args.scene, &args.run)?;
    say(&format!("images and truth.toml in {}", args.folder.display()));
    Ok(status)
}

/// Writes the series that `args` describe into `folder`.
pub fn make(folder: &Path, args: &SceneArgs, run_args: &RunArgs) -> Result<Status, BoxError> {
    let scene = Scene::new(args)?;
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make the folder `{}`: {error}", folder.display()))?;
    remove_leftovers(folder)
        .map_err(|error| format!("cannot tidy the folder `{}`: {error}", folder.display()))?;
    // The truth comes first: images without it would be of no use, and it shows that the folder can
    // be written to.
    let truth = folder.join("truth.toml");
    write_atomic(&truth, scene.to_toml().as_bytes())?;
    let topology = synth(SynthSeries {
        pairs: args.pairs,
        params: scene.params,
        flow: scene.flow,
        folder: folder.to_owned(),
    });
    run(topology, Count { total: args.pairs, noun: "couples" }, run_args, None)
}
