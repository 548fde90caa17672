//! What all commands on a series share: its images, its folder for results, and its run in one process or several.

use std::{
    fs,
    path::{Path, PathBuf},
};

use terzetto_executor::{
    BoxError, Shard, Topology,
    processes::Reporter,
    results::{Saving, SavingPlan},
};
use terzetto_program::{
    films::{is_film, pages_folder, unpack},
    params::Params,
    series::{SeriesError, folder_of, list_images, same_name, select},
};

use crate::commands::{
    args::{ExecutorChoice, InParts, ResultArgs, RunArgs},
    print_line,
    run::{Job, logging, prepare_folder, processes, progress::ItemCount, run, status::Status},
    setup::{parameters::series_path, saving},
};

/// If the series is a film, its images are unpacked into a folder beside it, and the folder becomes the series.
pub fn unpack_film(params: &mut Params, results: &ResultArgs) -> Result<(), BoxError> {
    let Some(path) = &params.series.path else { return Ok(()) };
    if params.series.images.is_some() || !is_film(path)? {
        return Ok(());
    }
    let folder = pages_folder(path);
    if results.dry_run && !folder.is_dir() {
        let name = path.display();
        return Err(format!(
            "`{name}` is a film: `terzetto pages {name} FOLDER` unpacks it, a dry run does not"
        )
        .into());
    }
    let count = unpack(path, &folder)?;
    print_line(&format!("{}: {count} images in {}", path.display(), folder.display()));
    params.series.path = Some(folder);
    Ok(())
}

/// The images of the series. There must be at least `least` of them.
pub fn images(params: &Params, least: usize) -> Result<Vec<PathBuf>, BoxError> {
    let path = series_path(params)?;
    let images = select(list_images(path)?, params.series.range)?;
    match images.len() {
        found if found < least => Err(SeriesError::TooFew(path.to_owned(), found, least).into()),
        _ => {
            if let Some([a, b]) = same_name(&images).filter(|_| Reporter::if_supervised().is_none()) {
                let (a, b) = (a.display(), b.display());
                log::warn!(
                    "`{a}` and `{b}` have one name but for the ending: each counts as an image of its own"
                );
            }
            Ok(images)
        }
    }
}

/// All images of the series, also those outside of its range.
pub fn all_images(params: &Params) -> Vec<PathBuf> {
    // If the folder cannot be listed, that was an error before.
    series_path(params).ok().and_then(|path| list_images(path).ok()).unwrap_or_default()
}

/// The folder with the images.
pub fn series_folder(params: &Params) -> Result<PathBuf, BoxError> {
    let series = &params.series;
    let file = series.images.as_ref().map(|[first, _]| first).or(series.couples_file.as_ref());
    match (&series.path, file) {
        (None, Some(file)) => Ok(file.parent().unwrap_or(Path::new("")).to_owned()),
        _ => Ok(folder_of(series_path(params)?)),
    }
}

/// Decides where results go, and makes the folder. So it is known that the folder can be written to.
pub fn results_plan(params: &Params, results: &ResultArgs, postfix: &str) -> Result<SavingPlan, BoxError> {
    let folder = series_folder(params)?;
    let out = params.output.folder.clone().unwrap_or_else(|| default_out(&folder, postfix));
    if is_same(&folder, &out) {
        let text = "the pictures of the results would be taken for images of the series";
        return Err(format!("results cannot go into the images' folder: {text}").into());
    }
    if results.saving() == Saving::NewDir && results.shard()?.is_some() {
        let hint = "name a new folder with --out, the same for all parts, and say --saving complete";
        return Err(format!("--saving new-dir would give each part a folder of its own: {hint}").into());
    }
    logging::set_file_filter(results.log_level.into(), results.log_filter.as_deref());
    if results.dry_run {
        // A dry run writes nothing, so the question what to do with existing results is not asked.
        let saving = if results.saving() == Saving::Ask { Saving::Complete } else { results.saving() };
        return saving::plan(saving, &out);
    }
    let plan = saving::plan(results.saving(), &out)?;
    prepare_folder(&plan.folder)?;
    Ok(plan)
}

/// The items of a command, ready to be computed.
pub struct SeriesRun<'a> {
    pub count: ItemCount,
    pub plan: &'a SavingPlan,
    pub shard: Option<Shard>,
    /// All parameters, TOML.
    pub params_toml: String,
    pub results: &'a ResultArgs,
    pub run: &'a RunArgs,
}

impl SeriesRun<'_> {
    /// Computes the items, in this process or in several.
    pub fn compute(
        self,
        command: &(impl InParts + Clone + 'static),
        topology: impl FnOnce() -> Result<Topology, BoxError>,
    ) -> Result<Status, BoxError> {
        if self.run.executor != ExecutorChoice::Multi {
            return self.compute_here(topology()?);
        }
        if self.shard.is_some() {
            return Err("a part of a series is computed by one process: --shard and --executor multi".into());
        }
        let status = processes::run(command, self.run, self.plan, self.count)?;
        self.print_folder();
        Ok(status)
    }

    /// Computes the items in this process.
    pub fn compute_here(self, topology: Topology) -> Result<Status, BoxError> {
        let job = Job {
            folder: &self.plan.folder,
            params: self.params_toml.clone(),
            log_level: self.results.log_level,
            log_filter: self.results.log_filter.as_deref(),
            lease: self.results.lease,
            gantt: self.results.gantt,
            shard: self.shard,
        };
        let status = run(topology, self.count, self.run, Some(job))?;
        self.print_folder();
        Ok(status)
    }

    fn print_folder(&self) {
        print_line(&format!("results in {}", self.plan.folder.display()));
    }
}

/// `series` → `series.piv`, beside it; also `film.pages` → `film.piv`.
pub fn default_out(folder: &Path, postfix: &str) -> PathBuf {
    // `.`, `..` and `a/..` have no name until they are resolved.
    let folder = match folder.file_name() {
        Some(name) if name != "." => folder.to_owned(),
        _ => folder.canonicalize().unwrap_or_else(|_| folder.to_owned()),
    };
    let folder =
        if folder.extension().is_some_and(|end| end == "pages") { folder.with_extension("") } else { folder };
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(postfix);
    folder.with_file_name(name)
}

fn is_same(a: &Path, b: &Path) -> bool {
    match (fs::canonicalize(a), fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        // A folder that does not exist is not the folder of the images.
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_go_beside_the_images() {
        assert_eq!(default_out(Path::new("a/series"), "piv"), Path::new("a/series.piv"));
        assert_eq!(default_out(Path::new("series/"), "pre"), Path::new("series.pre"));
        let here = default_out(Path::new("."), "piv");
        assert!(here.is_absolute() && here.to_string_lossy().ends_with(".piv"));
    }
}
