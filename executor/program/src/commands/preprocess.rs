//! `terzetto preprocess`: images to filtered images.

use terzetto_executor::BoxError;
use terzetto_kernels::preprocess::Filter;
use terzetto_program::{
    params::PreprocessSection,
    pipelines::{PreprocessSeries, image_files, preprocess, wanted_image},
};

use crate::commands::{
    args::PreprocessArgs,
    run::{progress::Count, status::Status},
    say,
    setup::{
        made_with::made_with,
        parameters::{Overrides, in_force},
        preprocessing::prepare,
        remaining::{Look, Todo},
        series::{Ready, all_images, images, place},
    },
};

pub fn command(args: &PreprocessArgs) -> Result<Status, BoxError> {
    let params = in_force(&args.input, &Overrides::default())?;
    check(&params.preprocess)?;
    let images = images(&params, 1)?;
    let prepare = prepare(&params, &images)?;
    let plan = place(&params, &args.results, "pre")?;
    let files = image_files(&images).enumerate().collect();
    let made_with = made_with("preprocess", &params, &prepare)?;
    let all = all_images(&params);
    let look = Look {
        results: &args.results,
        plan: &plan,
        made_with: &made_with,
        images: &all,
        noun: "images",
        single: false,
    };
    let temporal = params.preprocess.temporal.as_ref();
    let todo = Todo::new(files, &look, |(index, file)| wanted_image(&images, *index, file, temporal))?;
    let Some(todo) = todo else { return Ok(Status::Done) };
    say(&todo.announcement("images"));
    let ready = Ready {
        count: Count { total: todo.items.len(), noun: "images" },
        plan: &plan,
        shard: todo.shard,
        record: params.to_toml(),
        results: &args.results,
        run: &args.run,
    };
    ready.compute(args, || {
        Ok(preprocess(PreprocessSeries {
            images,
            own: todo.items,
            prepare,
            temporal: params.preprocess.temporal.clone(),
            folder: plan.folder.clone(),
            made_with,
        }))
    })
}

/// Is there something to do, and does it survive in a file of whole counts?
fn check(section: &PreprocessSection) -> Result<(), BoxError> {
    if section.is_empty() {
        let hint = "name a background, a filter over time or filters in a file, and the file with --params";
        return Err(format!("section [preprocess] is empty: {hint}").into());
    }
    let is = |wanted: fn(&Filter) -> bool| section.filters.iter().rposition(wanted);
    let contrast = is(|filter| matches!(filter, Filter::LocalContrast { .. }));
    let rescale = is(|filter| matches!(filter, Filter::Rescale { .. }));
    match contrast {
        Some(index) if rescale < contrast => Err(format!(
            "preprocess.filters[{index}]: local_contrast leaves a few counts, which a file of whole counts would \
             round away: let a rescale follow"
        )
        .into()),
        _ => Ok(()),
    }
}
