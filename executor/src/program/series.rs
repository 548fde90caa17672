//! What all commands on a series of images have in common: its images, the folder for results, what is left to do,
//! and one process or several.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use terzetto_executor::{
    BoxError, Topology,
    params::Params,
    results::{Saving, SavingPlan},
    series::{SeriesError, Shard, folder_of, list_images, select},
};

use super::{
    args::{ExecutorChoice, InParts, ResultArgs, RunArgs},
    parameters::series_path,
    processes,
    progress::Count,
    run::{Job, prepare_folder, run},
    saving, say,
    status::Status,
};

/// The images of the series, at least so many.
pub fn images(params: &Params, least: usize) -> Result<Vec<PathBuf>, BoxError> {
    let path = series_path(params)?;
    let images = select(list_images(path)?, params.series.range)?;
    match images.len() {
        found if found < least => Err(SeriesError::TooFew(path.to_owned(), found, least).into()),
        _ => Ok(images),
    }
}

/// Where results go: the folder is made, and may be written to.
pub fn place(params: &Params, results: &ResultArgs, postfix: &str) -> Result<SavingPlan, BoxError> {
    let folder = folder_of(series_path(params)?);
    let out = params.output.folder.clone().unwrap_or_else(|| default_out(&folder, postfix));
    if is_same(&folder, &out) {
        let text = "the pictures of the results would be taken for images of the series";
        return Err(format!("results cannot go into the images' folder: {text}").into());
    }
    if results.saving() == Saving::NewDir && results.shard()?.is_some() {
        let hint = "name a new folder with --out, the same for all parts, and say --saving complete";
        return Err(format!("--saving new-dir would give each part a folder of its own: {hint}").into());
    }
    let plan = saving::plan(results.saving(), &out)?;
    prepare_folder(&plan.folder)?;
    Ok(plan)
}

/// What is to be computed of a series.
pub struct Todo<T> {
    /// The items that are left.
    pub items: Vec<T>,
    /// How many there are in this part of the series.
    pub count: usize,
    /// Which part it is, if not the whole.
    pub shard: Option<Shard>,
}

impl<T> Todo<T> {
    /// The items of a part, without those that are done, of which all `files` are there.
    pub fn new(
        mut items: Vec<T>,
        results: &ResultArgs,
        plan: &SavingPlan,
        files: impl Fn(&T) -> Vec<PathBuf>,
    ) -> Result<Todo<T>, BoxError> {
        let shard = results.shard()?;
        if let Some(shard) = shard {
            // Before anything is left out as done: a part is the same part whenever it is computed.
            let range = shard.of(items.len());
            items = items.drain(range).collect();
        }
        let count = items.len();
        if plan.complete {
            let since = results.done_since();
            items.retain(|item| !files(item).iter().all(|path| is_done(path, since)));
        }
        Ok(Todo { items, count, shard })
    }

    /// `5 couples (consecutive), part 1/3, 2 of them done before`
    pub fn announcement(&self, what: &str) -> String {
        let mut text = format!("{} {what}", self.count);
        if let Some(shard) = self.shard {
            text.push_str(&format!(", part {shard}"));
        }
        if self.items.len() < self.count {
            text.push_str(&format!(", {} of them done before", self.count - self.items.len()));
        }
        text
    }
}

/// Is the file there, and not older than the run that is to be completed?
fn is_done(path: &Path, since: Option<SystemTime>) -> bool {
    let Ok(data) = fs::metadata(path) else { return false };
    let is_new = |since| data.modified().is_ok_and(|written| written > since);
    data.is_file() && since.is_none_or(is_new)
}

/// A command whose items are ready to be computed.
pub struct Ready<'a> {
    pub count: Count,
    pub plan: &'a SavingPlan,
    pub shard: Option<Shard>,
    /// All parameters, TOML.
    pub record: String,
    pub results: &'a ResultArgs,
    pub run: &'a RunArgs,
}

impl Ready<'_> {
    /// Computes the items by one process or several.
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
        self.tell_where();
        Ok(status)
    }

    /// Computes the items by this process.
    pub fn compute_here(self, topology: Topology) -> Result<Status, BoxError> {
        let job = Job {
            folder: &self.plan.folder,
            params: self.record.clone(),
            log_level: self.results.log_level,
            shard: self.shard,
        };
        let status = run(topology, self.count, self.run, Some(job))?;
        self.tell_where();
        Ok(status)
    }

    fn tell_where(&self) {
        say(&format!("results in {}", self.plan.folder.display()));
    }
}

/// `series` → `series.piv`, beside it.
pub fn default_out(folder: &Path, postfix: &str) -> PathBuf {
    // `.` and `..` and `a/..` have no name of their own until they are resolved.
    let folder = match folder.file_name() {
        Some(name) if name != "." => folder.to_owned(),
        _ => folder.canonicalize().unwrap_or_else(|_| folder.to_owned()),
    };
    let mut name = folder.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(postfix);
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
        assert_eq!(default_out(Path::new("a/series"), "piv"), Path::new("a/series.piv"));
        assert_eq!(default_out(Path::new("series/"), "pre"), Path::new("series.pre"));
        let here = default_out(Path::new("."), "piv");
        assert!(here.is_absolute() && here.to_string_lossy().ends_with(".piv"));
    }
}
