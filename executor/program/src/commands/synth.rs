//! `terzetto synth`: a series of synthetic images with known displacements.

use std::{fs, path::Path};

use terzetto_executor::{
    BoxError,
    results::{remove_leftovers, write_atomic},
};
use terzetto_program::pipelines::{SynthSeries, synth};

use crate::commands::{
    args::{RunArgs, SynthArgs, SyntheticArgs},
    print_line,
    run::{progress::ItemCount, run, status::Status},
    synthetic::SyntheticSeries,
};

pub fn command(args: &SynthArgs) -> Result<Status, BoxError> {
    let status = make(&args.folder, &args.synthetic, &args.run)?;
    print_line(&format!("images and truth.toml in {}", args.folder.display()));
    Ok(status)
}

/// Writes the series that `args` describe into `folder`.
pub fn make(folder: &Path, args: &SyntheticArgs, run_args: &RunArgs) -> Result<Status, BoxError> {
    let synthetic = SyntheticSeries::new(args)?;
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make the folder `{}`: {error}", folder.display()))?;
    remove_leftovers(folder)
        .map_err(|error| format!("cannot tidy the folder `{}`: {error}", folder.display()))?;
    // The truth is written first: images without it would be of no use. It also shows that the folder can be
    // written to.
    let truth = folder.join("truth.toml");
    write_atomic(&truth, synthetic.to_toml().as_bytes())?;
    let topology = synth(SynthSeries {
        pairs: args.pairs,
        params: synthetic.params,
        flow: synthetic.flow,
        folder: folder.to_owned(),
    });
    run(topology, ItemCount { total: args.pairs, noun: "couples" }, run_args, None)
}
