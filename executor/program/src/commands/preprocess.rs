//! `terzetto preprocess`: filtered images.

use terzetto_executor::BoxError;
use terzetto_kernels::preprocess::Filter;
use terzetto_program::{
    params::PreprocessSection,
    pipelines::{PreprocessSeries, expected_image, image_files, preprocess},
};

use crate::commands::{
    args::PreprocessArgs,
    print_line,
    run::{progress::ItemCount, status::Status},
    setup::{
        made_with::made_with,
        parameters::{Overrides, effective_params},
        preprocessing::preprocessing,
        remaining::{Comparison, Remaining},
        series::{SeriesRun, all_images, images, results_plan, unpack_film},
    },
};

pub fn command(args: &PreprocessArgs) -> Result<Status, BoxError> {
    let mut params = effective_params(&args.input, &Overrides::default())?;
    unpack_film(&mut params, &args.results)?;
    check(&params.preprocess)?;
    let images = images(&params, 1)?;
    let preprocessing = preprocessing(&params, &images)?;
    let plan = results_plan(&params, &args.results, "pre")?;
    let files = image_files(&images).enumerate().collect();
    let made_with = made_with("preprocess", &params, &preprocessing)?;
    let all = all_images(&params);
    let comparison = Comparison {
        results: &args.results,
        plan: &plan,
        made_with: &made_with,
        images: &all,
        noun: "images",
        single: false,
    };
    let temporal = params.preprocess.temporal.as_ref();
    let remaining =
        Remaining::new(files, &comparison, |(index, file)| expected_image(&images, *index, file, temporal))?;
    let Some(remaining) = remaining else { return Ok(Status::Done) };
    print_line(&remaining.announcement("images"));
    let series_run = SeriesRun {
        count: ItemCount { total: remaining.items.len(), noun: "images" },
        plan: &plan,
        shard: remaining.shard,
        params_toml: params.to_toml(),
        results: &args.results,
        run: &args.run,
    };
    series_run.compute(args, || {
        Ok(preprocess(PreprocessSeries {
            images,
            own: remaining.items,
            preprocessing,
            temporal: params.preprocess.temporal.clone(),
            folder: plan.folder.clone(),
            made_with,
        }))
    })
}

/// Checks that there is something to do, and that a file of whole counts can hold the result.
fn check(section: &PreprocessSection) -> Result<(), BoxError> {
    if section.is_empty() {
        let hint = "name a background, a filter over time, filters or a calibration in a file, and the file with --params";
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
