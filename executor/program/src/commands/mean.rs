//! `terzetto mean`: statistics of a series of images.

use terzetto_executor::{BoxError, results::MadeWith};
use terzetto_program::pipelines::{MeanSeries, mean, wanted_mean};

use crate::commands::{
    args::{ExecutorChoice, MeanArgs},
    run::{progress::Count, status::Status},
    say,
    setup::{
        made_with::record,
        parameters::{Overrides, in_force},
        remaining::{Look, Todo},
        series::{Ready, images, place},
    },
};

pub fn command(args: &MeanArgs) -> Result<Status, BoxError> {
    let params = in_force(&args.input, &Overrides::default())?;
    if args.results.shard()?.is_some() || args.run.executor == ExecutorChoice::Multi {
        let hint = "choose images with --range instead of --shard, another executor than multi";
        return Err(format!("statistics are gathered by one process: {hint}").into());
    }
    let mut images = images(&params, 1)?;
    let plan = place(&params, &args.results, "mean")?;
    // What is done to images first has no say in statistics.
    let made_with = MadeWith::new("mean");
    let look = Look {
        results: &args.results,
        plan: &plan,
        made_with: &made_with,
        images: &images,
        noun: "results",
        single: true,
    };
    let Some(todo) = Todo::new(vec![()], &look, |()| wanted_mean(&images))? else { return Ok(Status::Done) };
    if todo.items.is_empty() {
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
    ready.compute_here(mean(MeanSeries { images, folder, record: record(&params), made_with }))
}
