//! `terzetto piv`: the couples of a folder, computed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use terzetto_executor::{
    BoxError,
    results::SavingPlan,
    series::{CoupleRule, Shard, list_images, make_couples},
    topologies::{PivSeries, file_stem, piv},
};
use terzetto_kernels::PivParams;

use super::{
    args::{ExecutorChoice, MeasureArgs, PivArgs},
    processes,
    run::{Job, prepare_folder, run},
    saving::plan,
    say,
    status::Status,
};

pub fn command(args: &PivArgs) -> Result<Status, BoxError> {
    let measure = params(&args.measure)?;
    let images = list_images(&args.folder)?;
    let made = make_couples(&images, args.couples.into());
    if made.couples.is_empty() {
        let count = images.len();
        return Err(format!("the {count} images in `{}` make no couple", args.folder.display()).into());
    }
    let out = args.out.clone().unwrap_or_else(|| default_out(&args.folder));
    if is_same(&args.folder, &out) {
        let text = "the pictures of the results would be taken for images of the series";
        return Err(format!("results cannot go into the images' folder: {text}").into());
    }
    let SavingPlan { folder: out, complete } = plan(args.results.saving(), &out)?;
    prepare_folder(&out)?;
    for path in &made.single {
        log::warn!("`{}` has no partner and is left out", path.display());
    }
    let mut couples = made.couples;
    let shard = args.results.shard()?;
    if let Some(shard) = shard {
        // Before anything is left out as done: a part is the same part whenever it is computed.
        let range = shard.of(couples.len());
        couples = couples.drain(range).collect();
    }
    let count = couples.len();
    if complete {
        couples.retain(|couple| !out.join(format!("{}.csv", file_stem(&couple.name))).is_file());
    }
    let total = couples.len();
    say(&announcement(&images, count, total, made.rule, shard));
    let status = match args.run.executor {
        ExecutorChoice::Multi if shard.is_some() => {
            return Err("a part of a series is computed by one process: --shard and --executor multi".into());
        }
        ExecutorChoice::Multi => processes::run(args, &out, complete, total)?,
        _ => {
            let params = described(args, &measure);
            let job = Job { folder: &out, params, log_level: args.results.log_level, shard };
            let plots = !args.results.no_plots;
            let topology = piv(PivSeries { couples, params: measure, folder: out.clone(), plots });
            run(topology, total, &args.run, Some(job))?
        }
    };
    say(&format!("results in {}", out.display()));
    Ok(match status {
        Status::Done if !made.single.is_empty() => Status::SomeFailed,
        status => status,
    })
}

/// `6 images, 5 couples (consecutive), 2 of them done before`
fn announcement(
    images: &[PathBuf],
    count: usize,
    total: usize,
    rule: CoupleRule,
    shard: Option<Shard>,
) -> String {
    let mut text = format!("{} images, {count} couples ({rule})", images.len());
    if let Some(shard) = shard {
        text.push_str(&format!(", part {shard}"));
    }
    if total < count {
        text.push_str(&format!(", {} of them done before", count - total));
    }
    text
}

/// What was asked for, for the job's folder.
fn described(args: &PivArgs, params: &PivParams) -> String {
    let lines: String = format!("{params:#?}").lines().map(|line| format!("# {line}\n")).collect();
    format!(
        "[series]\npath = {:?}\ncouples = \"{:?}\"\n\n[piv]\nwindow = {}\noverlap = {:?}\n\n# In full:\n{lines}",
        args.folder.display().to_string(),
        args.couples,
        args.measure.window,
        args.measure.overlap
    )
}

fn params(measure: &MeasureArgs) -> Result<PivParams, BoxError> {
    let params = PivParams { window: measure.window, overlap: measure.overlap, ..PivParams::default() };
    params.validate()?;
    Ok(params)
}

/// `series` → `series.piv`, beside it.
pub fn default_out(folder: &Path) -> PathBuf {
    // `.` and `..` and `a/..` have no name of their own until they are resolved.
    let folder = match folder.file_name() {
        Some(_) => folder.to_owned(),
        None => folder.canonicalize().unwrap_or_else(|_| folder.to_owned()),
    };
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".piv");
    folder.with_file_name(name)
}

fn is_same(a: &Path, b: &Path) -> bool {
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        // What does not exist yet is not the images' folder.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_go_beside_the_images() {
        assert_eq!(default_out(Path::new("a/series")), Path::new("a/series.piv"));
        assert_eq!(default_out(Path::new("series/")), Path::new("series.piv"));
        let here = default_out(Path::new("."));
        assert!(here.is_absolute() && here.to_string_lossy().ends_with(".piv"));
    }
}
