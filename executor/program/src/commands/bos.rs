//! `terzetto bos`: displacements in each image of a series against a reference.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use terzetto_executor::{
    BoxError, Key,
    results::{file_name, stem},
};
use terzetto_kernels::read_image;
use terzetto_program::{
    pipelines::{PivSeries, Task, Validity, piv},
    series::Couple,
};

use crate::commands::{
    args::BosArgs,
    piv::{check_valid_min, judge, series},
    print_line,
    run::{progress::ItemCount, status::Status},
    setup::{
        made_with::made_with_piv,
        parameters::{Overrides, effective_params},
        preprocessing::{masks, preprocessing_for_piv},
        remaining::{Comparison, Remaining},
        series::{SeriesRun, all_images, images, results_plan, unpack_film},
    },
};

pub fn command(args: &BosArgs) -> Result<Status, BoxError> {
    let BosArgs { reference, input, measure, output, .. } = args;
    check_valid_min(measure, &args.run)?;
    let mut params = effective_params(
        input,
        &Overrides { measure: Some(measure), output: Some(output), ..Overrides::default() },
    )?;
    unpack_film(&mut params, &args.results)?;
    if params.scale.scale().is_some() {
        return Err("scale: the shift of a background is no velocity; leave out pixel and dt".into());
    }
    // The reference is read once here. Otherwise its error would come once for each image.
    read_image(reference).map_err(|error| format!("the reference: {error}"))?;
    let mut images = images(&params, 1)?;
    let all = images.len();
    images.retain(|path| !is_same_file(path, reference));
    if images.len() < all {
        log::info!("the reference is an image of the series, and is not compared with itself");
    }
    if images.is_empty() {
        return Err(format!("there is no image but the reference `{}`", reference.display()).into());
    }
    let preprocessing = preprocessing_for_piv(&params, &images)?;
    let couples = couples(&images, reference);
    // The first image of all couples is the reference, so that masks go by the number of the second.
    let turned = couples.iter().map(|couple| Couple {
        images: {
            let [a, b] = couple.images.clone();
            [b, a]
        },
        ..couple.clone()
    });
    let masks = masks(&params, &turned.collect::<Vec<_>>(), &images)?;
    let plan = results_plan(&params, &args.results, Task::Bos.name())?;
    let made_with = made_with_piv(Task::Bos.name(), &params, &preprocessing, "reference")?;
    let all = [all_images(&params), vec![reference.clone()]].concat();
    let comparison = Comparison {
        results: &args.results,
        plan: &plan,
        made_with: &made_with,
        images: &all,
        noun: "images",
        single: false,
    };
    let remaining = Remaining::new(couples, &comparison, |couple| {
        Task::Bos.expected_item(couple, &params.output.formats, &params.output.plots)
    })?;
    let Some(remaining) = remaining else { return Ok(Status::Done) };
    print_line(&remaining.announcement(&format!("images against {}", reference.display())));
    let series_run = SeriesRun {
        count: ItemCount { total: remaining.items.len(), noun: "images" },
        plan: &plan,
        shard: remaining.shard,
        params_toml: params.to_toml(),
        results: &args.results,
        run: &args.run,
    };
    let validity = Validity::default();
    let counts = validity.clone();
    let status = series_run.compute(args, || {
        let series = series(&params, remaining.items, plan.folder.clone());
        Ok(piv(PivSeries { task: Task::Bos, preprocessing, masks, made_with, validity, ..series }))
    })?;
    Ok(judge(status, &counts, measure.valid_min))
}

/// Couples of the reference and each image, with the name of the image.
fn couples(images: &[PathBuf], reference: &Path) -> Vec<Couple> {
    let stems: HashSet<String> = images.iter().map(|path| stem(path)).collect();
    let unique = stems.len() == images.len();
    let couple = |path: &PathBuf| Couple {
        name: Key::from(if unique { stem(path) } else { file_name(path) }),
        images: [reference.to_owned(), path.clone()],
    };
    images.iter().map(couple).collect()
}

fn is_same_file(a: &Path, b: &Path) -> bool {
    matches!((fs::canonicalize(a), fs::canonicalize(b)), (Ok(a), Ok(b)) if a == b)
}
