//! `terzetto mean`: statistics of a series of images.

use terzetto_executor::{
    BoxError,
    topologies::{MeanSeries, images_of_mean, mean},
};

use super::{
    args::{ExecutorChoice, MeanArgs},
    parameters::{Overrides, in_force},
    progress::Count,
    say,
    series::{Ready, images, place},
    status::Status,
};

pub fn command(args: &MeanArgs) -> Result<Status, BoxError> {
    let params = in_force(&args.input, &Overrides::default())?;
    if args.results.shard()?.is_some() || args.run.executor == ExecutorChoice::Multi {
        let hint = "choose images with --range instead of --shard, another executor than multi";
        return Err(format!("statistics are gathered by one process: {hint}").into());
    }
    let mut images = images(&params, 1)?;
    let plan = place(&params, &args.results, "mean")?;
    if plan.complete && images_of_mean(&plan.folder) == Some(images.len()) {
        say(&format!("{} images, done before", images.len()));
        images.clear();
    } else {
        say(&format!("{} images", images.len()));
    }
    let ready = Ready {
        count: Count { total: images.len(), noun: "images" },
        plan: &plan,
        shard: None,
        record: params.to_toml(),
        results: &args.results,
        run: &args.run,
    };
    let folder = plan.folder.clone();
    ready.compute_here(mean(MeanSeries { images, folder, record: params.to_toml() }))
}
