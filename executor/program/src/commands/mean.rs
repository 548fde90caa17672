//! `terzetto mean`: statistics of a series of images.

use std::path::Path;

use terzetto_executor::{
    BoxError,
    results::{MadeWith, stem},
};
use terzetto_program::PROGRAM;
use terzetto_program::pipelines::{MeanSeries, expected_mean, mean};

use crate::commands::{
    args::{ExecutorChoice, MeanArgs},
    print_line,
    run::{progress::ItemCount, status::Status},
    setup::{
        made_with::params_toml,
        parameters::{Overrides, effective_params},
        remaining::{Comparison, Remaining},
        series::{SeriesRun, images, results_plan, unpack_film},
    },
};

/// Is a file the picture of a vector field, beside its numbers?
fn is_picture(path: &Path) -> bool {
    let stem = stem(path);
    let is_result = stem.starts_with("piv_") || stem.starts_with("bos_");
    let stem = stem.strip_suffix("_magnitude").unwrap_or(&stem);
    is_result && ["csv", "nc"].iter().any(|ending| path.with_file_name(format!("{stem}.{ending}")).exists())
}

pub fn command(args: &MeanArgs) -> Result<Status, BoxError> {
    let mut params = effective_params(&args.input, &Overrides::default())?;
    unpack_film(&mut params, &args.results)?;
    if args.results.shard()?.is_some() || args.run.executor == ExecutorChoice::Multi {
        let hint = "choose images with --range instead of --shard, another executor than multi; in a job array, \
                    say --parts 1";
        return Err(format!("statistics are gathered by one process: {hint}").into());
    }
    let mut images = images(&params, 1)?;
    if let Some(picture) = images.iter().find(|path| is_picture(path)) {
        let hint = "`terzetto fields FOLDER` makes the mean of measured fields";
        return Err(format!("`{}` is a picture of a result, and no image: {hint}", picture.display()).into());
    }
    let plan = results_plan(&params, &args.results, "mean")?;
    // Preprocessing has no effect on statistics.
    let made_with = MadeWith::new(PROGRAM, "mean");
    let comparison = Comparison {
        results: &args.results,
        plan: &plan,
        made_with: &made_with,
        images: &images,
        noun: "results",
        single: true,
    };
    let Some(remaining) = Remaining::new(vec![()], &comparison, |()| expected_mean(&images))? else {
        return Ok(Status::Done);
    };
    if remaining.items.is_empty() {
        print_line(&format!("{} images, done before", images.len()));
        images.clear();
    } else {
        print_line(&format!("{} images", images.len()));
    }
    let series_run = SeriesRun {
        count: ItemCount { total: images.len(), noun: "images" },
        plan: &plan,
        shard: None,
        params_toml: params.to_toml(),
        results: &args.results,
        run: &args.run,
    };
    let folder = plan.folder.clone();
    series_run.compute_here(mean(MeanSeries { images, folder, params_toml: params_toml(&params), made_with }))
}
