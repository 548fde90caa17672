//! `terzetto piv`: the couples of a series, computed.

use terzetto_executor::BoxError;
use terzetto_program::{
    params::Params,
    pipelines::{PivSeries, Task, piv},
};

use crate::commands::{
    args::PivArgs,
    run::{progress::Count, status::Status},
    setup::{
        couples::Plan,
        made_with::{made_with_piv, record},
        parameters::{Overrides, in_force},
        preprocessing::{mask, prepare_for_piv},
        remaining::{Look, Todo},
        series::{Ready, all_images, place},
    },
    try_couple,
};

pub fn command(args: &PivArgs) -> Result<Status, BoxError> {
    let PivArgs { input, measure, output, .. } = args;
    let overrides = Overrides {
        couples: args.couples,
        couples_file: args.couples_file.as_ref(),
        second: args.second.as_ref(),
        measure: Some(measure),
        output: Some(output),
    };
    let params = in_force(input, &overrides)?;
    let couples = Plan::new(&params)?;
    let prepare = prepare_for_piv(&params, &couples.images)?;
    let mask = mask(&params)?;
    if let Some(couple) = &args.try_one {
        let chosen = try_couple::choose(&couples.couples, couple)?;
        return try_couple::command(args, &params, chosen, prepare, mask);
    }
    let plan = place(&params, &args.results, Task::Piv.name())?;
    couples.tell();
    let made_with = made_with_piv(Task::Piv.name(), &params, &prepare, &couples.rule)?;
    let images = [all_images(&params), couples.images.clone()].concat();
    let look = Look {
        results: &args.results,
        plan: &plan,
        made_with: &made_with,
        images: &images,
        noun: "couples",
        single: false,
    };
    let todo = Todo::new(couples.couples.clone(), &look, |couple| {
        Task::Piv.wanted(couple, &params.output.formats, &params.output.plots)
    })?;
    let Some(todo) = todo else { return Ok(Status::Done) };
    couples.announce(&todo.announcement(&format!("couples ({})", couples.rule)));
    let ready = Ready {
        count: Count { total: todo.items.len(), noun: "couples" },
        plan: &plan,
        shard: todo.shard,
        record: params.to_toml(),
        results: &args.results,
        run: &args.run,
    };
    let status = ready.compute(args, || {
        let series =
            PivSeries { prepare, mask, made_with, ..series(&params, todo.items, plan.folder.clone()) };
        Ok(piv(series))
    })?;
    Ok(match status {
        Status::Done if !couples.single.is_empty() => Status::SomeFailed,
        status => status,
    })
}

/// The series that the parameters describe, but for what is read from other files.
pub fn series(
    params: &Params,
    couples: Vec<terzetto_program::series::Couple>,
    folder: std::path::PathBuf,
) -> PivSeries {
    PivSeries {
        formats: params.output.formats.clone(),
        plots: params.output.plots.clone(),
        record: record(params),
        ..PivSeries::new(couples, (&params.piv).into(), folder)
    }
}
