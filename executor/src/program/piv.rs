//! `terzetto piv`: the couples of a folder, computed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use terzetto_executor::{
    BoxError,
    series::{CoupleRule, list_images, make_couples},
    topologies::{PivSeries, file_stem, piv},
};
use terzetto_kernels::PivParams;

use super::{
    args::{MeasureArgs, PivArgs, ResultArgs, RunArgs},
    run::{prepare_folder, run},
    say,
    status::Status,
};

pub fn command(args: &PivArgs) -> Result<Status, BoxError> {
    let out = match &args.out {
        Some(out) => out.clone(),
        None => default_out(&args.folder),
    };
    compute(&args.folder, &out, args.couples.into(), &args.measure, &args.results, &args.run)
}

/// Computes the couples of the images in `folder` and writes what comes of them into `out`.
pub fn compute(
    folder: &Path,
    out: &Path,
    rule: CoupleRule,
    measure: &MeasureArgs,
    results: &ResultArgs,
    args: &RunArgs,
) -> Result<Status, BoxError> {
    let params = params(measure)?;
    let images = list_images(folder)?;
    let made = make_couples(&images, rule);
    if made.couples.is_empty() {
        let count = images.len();
        return Err(format!("the {count} images in `{}` make no couple", folder.display()).into());
    }
    if is_same(folder, out) {
        let text = "the pictures of the results would be taken for images of the series";
        return Err(format!("results cannot go into the images' folder: {text}").into());
    }
    let log = prepare_folder(out, results.log_level)?;
    log::info!("images of `{}`, {params:?}", folder.display());
    for path in &made.single {
        log::warn!("`{}` has no partner and is left out", path.display());
    }
    let mut couples = made.couples;
    let count = couples.len();
    if results.complete {
        couples.retain(|couple| !out.join(format!("{}.csv", file_stem(&couple.name))).is_file());
    }
    let total = couples.len();
    let present = match count - total {
        0 => String::new(),
        present => format!(", {present} of them done before"),
    };
    say(&format!("{} images, {count} couples ({}){present}", images.len(), made.rule));
    let topology = piv(PivSeries { couples, params, folder: out.to_owned(), plots: !results.no_plots });
    let status = run(topology, total, args)?;
    say(&format!("results in {}, log in {}", out.display(), log.display()));
    Ok(match status {
        Status::Done if !made.single.is_empty() => Status::SomeFailed,
        status => status,
    })
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
