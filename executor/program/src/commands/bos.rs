//! `terzetto bos`: each image of a series against a reference.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
};

use terzetto_executor::{
    BoxError, Key,
    results::{file_name, stem},
};
use terzetto_program::{
    pipelines::{PivSeries, Task, piv},
    series::Couple,
};

use terzetto_kernels::read_image;

use crate::commands::{
    args::BosArgs,
    piv::series,
    run::{progress::Count, status::Status},
    say,
    setup::{
        made_with::made_with_piv,
        parameters::{Overrides, in_force},
        preprocessing::{mask, prepare_for_piv},
        remaining::{Look, Todo},
        series::{Ready, all_images, images, place},
    },
};

pub fn command(args: &BosArgs) -> Result<Status, BoxError> {
    let BosArgs { reference, input, measure, output, .. } = args;
    let params =
        in_force(input, &Overrides { measure: Some(measure), output: Some(output), ..Overrides::default() })?;
    // Errors about the reference would otherwise come once for each image.
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
    let prepare = prepare_for_piv(&params, &images)?;
    let mask = mask(&params)?;
    let plan = place(&params, &args.results, Task::Bos.name())?;
    let made_with = made_with_piv(Task::Bos.name(), &params, &prepare, "reference")?;
    let all = [all_images(&params), vec![reference.clone()]].concat();
    let look = Look {
        results: &args.results,
        plan: &plan,
        made_with: &made_with,
        images: &all,
        noun: "images",
        single: false,
    };
    let todo = Todo::new(couples(&images, reference), &look, |couple| {
        Task::Bos.wanted(couple, &params.output.formats, &params.output.plots)
    })?;
    let Some(todo) = todo else { return Ok(Status::Done) };
    say(&todo.announcement(&format!("images against {}", reference.display())));
    let ready = Ready {
        count: Count { total: todo.items.len(), noun: "images" },
        plan: &plan,
        shard: todo.shard,
        record: params.to_toml(),
        results: &args.results,
        run: &args.run,
    };
    ready.compute(args, || {
        let series = series(&params, todo.items, plan.folder.clone());
        Ok(piv(PivSeries { task: Task::Bos, prepare, mask, made_with, ..series }))
    })
}

/// The reference with each image, under the image's name.
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
