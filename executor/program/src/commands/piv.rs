//! `terzetto piv`: displacements in the couples of a series.

use std::path::PathBuf;

use terzetto_executor::{BoxError, results::ExpectedItem};
use terzetto_program::{
    masks::Masks,
    params::Params,
    pipelines::{ENSEMBLE, PivSeries, Preprocessing, Task, Validity, ensemble, piv},
    series::Couple,
};

use crate::commands::{
    args::{ExecutorChoice, MeasureArgs, PivArgs, RunArgs},
    print_line,
    run::{progress::ItemCount, status::Status},
    setup::{
        couples::CouplePlan,
        made_with::{made_with_piv, params_toml},
        parameters::{Overrides, effective_params},
        preprocessing::{masks, preprocessing_for_piv},
        remaining::{Comparison, Remaining},
        series::{SeriesRun, all_images, results_plan, unpack_film},
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
        scale: Some(&args.scale),
        output: Some(output),
    };
    check_valid_min(measure, &args.run)?;
    let mut params = effective_params(input, &overrides)?;
    unpack_film(&mut params, &args.results)?;
    let couples = CouplePlan::new(&params)?;
    let preprocessing = preprocessing_for_piv(&params, &couples.images)?;
    let masks = masks(&params, &couples.couples, &couples.images)?;
    if let Some(couple) = &args.try_one {
        let chosen = try_couple::choose(&couples.couples, couple)?;
        return try_couple::command(args, &params, chosen, preprocessing, &masks);
    }
    if args.ensemble {
        return command_ensemble(args, &params, couples, preprocessing, masks);
    }
    let plan = results_plan(&params, &args.results, Task::Piv.name())?;
    couples.log_details();
    let made_with = made_with_piv(Task::Piv.name(), &params, &preprocessing, &couples.rule)?;
    let images = [all_images(&params), couples.images.clone()].concat();
    let comparison = Comparison {
        results: &args.results,
        plan: &plan,
        made_with: &made_with,
        images: &images,
        noun: "couples",
        single: false,
    };
    let remaining = Remaining::new(couples.couples.clone(), &comparison, |couple| {
        Task::Piv.expected_item(couple, &params.output.formats, &params.output.plots)
    })?;
    let Some(remaining) = remaining else { return Ok(Status::Done) };
    let noun = if remaining.count == 1 { "couple" } else { "couples" };
    couples.print_summary(&remaining.announcement(&format!("{noun} ({})", couples.rule)));
    let series_run = SeriesRun {
        count: ItemCount { total: remaining.items.len(), noun: "couples" },
        plan: &plan,
        shard: remaining.shard,
        params_toml: params.to_toml(),
        results: &args.results,
        run: &args.run,
    };
    let validity = Validity::default();
    let counts = validity.clone();
    let status = series_run.compute(args, || {
        let series = PivSeries {
            preprocessing,
            masks,
            made_with,
            validity,
            ..series(&params, remaining.items, plan.folder.clone())
        };
        Ok(piv(series))
    })?;
    let status = match status {
        Status::Done if !couples.single.is_empty() => Status::SomeFailed,
        status => status,
    };
    Ok(judge(status, &counts, measure.valid_min))
}

/// `--ensemble`: one result of all couples.
fn command_ensemble(
    args: &PivArgs,
    params: &Params,
    couples: CouplePlan,
    preprocessing: Preprocessing,
    masks: Masks,
) -> Result<Status, BoxError> {
    let PivArgs { results, run, .. } = args;
    if results.shard()?.is_some() || run.executor == ExecutorChoice::Multi {
        let hint = "choose another executor than multi; in a job array, say --parts 1";
        return Err(format!("an ensemble is computed by one process: {hint}").into());
    }
    if masks.is_moving() {
        return Err("an ensemble has one mask: name a file with --mask, and not a folder".into());
    }
    if params.piv.uncertainty {
        return Err("piv.uncertainty: uncertainties of an ensemble are not estimated".into());
    }
    let plan = results_plan(params, results, Task::Piv.name())?;
    couples.log_details();
    let rule = format!("an ensemble of {}", couples.rule);
    let made_with = made_with_piv(Task::Piv.name(), params, &preprocessing, &rule)?;
    let images: Vec<PathBuf> = couples.couples.iter().flat_map(|couple| couple.images.clone()).collect();
    let comparison = Comparison {
        results,
        plan: &plan,
        made_with: &made_with,
        images: &images,
        noun: "results",
        single: true,
    };
    let remaining = Remaining::new(vec![()], &comparison, |()| {
        let item = Couple { name: ENSEMBLE.into(), images: [PathBuf::new(), PathBuf::new()] };
        let item = Task::Piv.expected_item(&item, &params.output.formats, &params.output.plots);
        ExpectedItem { inputs: images.clone(), ..item }
    })?;
    let Some(remaining) = remaining else { return Ok(Status::Done) };
    couples.print_summary(&remaining.announcement(&format!("ensemble of {} couples", couples.couples.len())));
    let series_run = SeriesRun {
        count: ItemCount { total: remaining.items.len(), noun: "ensembles" },
        plan: &plan,
        shard: None,
        params_toml: params.to_toml(),
        results,
        run,
    };
    let validity = Validity::default();
    let counts = validity.clone();
    let couples = if remaining.items.is_empty() { Vec::new() } else { couples.couples };
    let series = series(params, couples, plan.folder.clone());
    let series = PivSeries { preprocessing, masks, made_with, validity, ..series };
    let status = series_run.compute_here(ensemble(series))?;
    Ok(judge(status, &counts, args.measure.valid_min))
}

/// Prints how many vectors are not valid, as the last line, and compares with what was asked for.
pub fn judge(status: Status, validity: &Validity, valid_min: Option<f64>) -> Status {
    let Some(text) = validity.summary() else { return status };
    let share = validity.share().unwrap_or(0.0);
    let too_few = valid_min.is_some_and(|least| share < least);
    if share == 0.0 {
        log::warn!("{text}: do the images make couples, and are the windows large enough?");
    }
    match valid_min.filter(|_| too_few) {
        Some(least) => print_line(&format!(
            "{text}: more than the {:.1} % that --valid-min allows",
            100.0 * (1.0 - least)
        )),
        None => print_line(&text),
    }
    match status {
        Status::Done if too_few => Status::TooFewValid,
        status => status,
    }
}

/// Several processes do not add up their vectors.
///
/// # Errors
/// `--valid-min` with several processes.
pub fn check_valid_min(measure: &MeasureArgs, run: &RunArgs) -> Result<(), BoxError> {
    if run.executor == ExecutorChoice::Multi && measure.valid_min.is_some() {
        return Err(
            "--valid-min counts the vectors of one process: choose another executor than multi".into()
        );
    }
    Ok(())
}

/// The series that the parameters describe, without what is read from other files.
pub fn series(
    params: &Params,
    couples: Vec<terzetto_program::series::Couple>,
    folder: std::path::PathBuf,
) -> PivSeries {
    PivSeries {
        formats: params.output.formats.clone(),
        plots: params.output.plots.clone(),
        scale: params.scale.scale(),
        params_toml: params_toml(params),
        ..PivSeries::new(couples, (&params.piv).into(), folder)
    }
}
