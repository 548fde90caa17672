//! `terzetto piv`: the couples of a series, computed.

use terzetto_executor::{
    BoxError,
    params::Params,
    series::make_couples,
    topologies::{PivSeries, Task, piv},
};

use super::{
    args::PivArgs,
    parameters::{Overrides, in_force},
    prepare::{mask, prepare_for_piv},
    progress::Count,
    say,
    series::{Ready, Todo, images, place},
    status::Status,
    try_one,
};

pub fn command(args: &PivArgs) -> Result<Status, BoxError> {
    let PivArgs { input, measure, output, .. } = args;
    let overrides = Overrides { couples: args.couples, measure: Some(measure), output: Some(output) };
    let params = in_force(input, &overrides)?;
    let images = images(&params, 2)?;
    let made = make_couples(&images, params.series.couples);
    if made.couples.is_empty() {
        return Err(format!("the {} images make no couple by the rule {}", images.len(), made.rule).into());
    }
    let prepare = prepare_for_piv(&params, &images)?;
    let mask = mask(&params)?;
    if let Some(couple) = &args.try_one {
        let chosen = try_one::choose(&made.couples, couple)?;
        return try_one::command(args, &params, chosen, prepare, mask);
    }
    let plan = place(&params, &args.results, Task::Piv.name())?;
    for path in &made.single {
        log::warn!("`{}` has no partner and is left out", path.display());
    }
    let todo = Todo::new(made.couples, &args.results, &plan, |couple| {
        Task::Piv.tables(&plan.folder, &couple.name, &params.output.formats)
    })?;
    say(&format!("{} images, {}", images.len(), todo.announcement(&format!("couples ({})", made.rule))));
    let ready = Ready {
        count: Count { total: todo.items.len(), noun: "couples" },
        plan: &plan,
        shard: todo.shard,
        record: params.to_toml(),
        results: &args.results,
        run: &args.run,
    };
    let status = ready.compute(args, || {
        let series = PivSeries { prepare, mask, ..series(&params, todo.items, plan.folder.clone()) };
        Ok(piv(series))
    })?;
    Ok(match status {
        Status::Done if !made.single.is_empty() => Status::SomeFailed,
        status => status,
    })
}

/// The series that the parameters describe, but for what is read from other files.
pub fn series(
    params: &Params,
    couples: Vec<terzetto_executor::series::Couple>,
    folder: std::path::PathBuf,
) -> PivSeries {
    PivSeries {
        formats: params.output.formats.clone(),
        plots: params.output.plots.clone(),
        record: params.to_toml(),
        ..PivSeries::new(couples, (&params.piv).into(), folder)
    }
}
