//! The folder of a job, as a library's user sees it.

mod common;

use std::{error::Error as StdError, fmt, fs, time::Duration};

use terzetto::Error;
use terzetto_executor::{
    ExecutorAsync, ExecutorSequential, Options, Topology,
    job::{JobError, JobState, job_reports},
};

use common::{Folder, jobs, names};

#[derive(Debug)]
struct Layer(&'static str, Option<Box<Layer>>);

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Layer {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.1.as_deref().map(|layer| layer as &dyn StdError)
    }
}

fn topology() -> Topology {
    let mut topology = Topology::new("numbers");
    let numbers = topology.queue::<usize>("numbers");
    let checked = topology.queue::<usize>("checked");
    topology.source("count", &numbers, (0..10).map(|n| (format!("dir/{n}"), n)));
    topology.cpu("check it", &numbers).to(&checked).each(|_, n| match n {
        3 => Err(Layer(
            "cannot check",
            Some(Box::new(Layer("no light", Some(Box::new(Layer("no power", None)))))),
        ))?,
        7 => panic!("seven"),
        n => Ok(n),
    });
    topology.io("end", &checked).each(|_, _| Ok(()));
    topology
}

fn options(folder: &Folder) -> Options {
    Options::new().results_folder(&folder.0).params("number = 10\n").expected_results(10)
}

#[test]
fn everything_is_in_the_folder() -> Result<(), Error> {
    let folder = Folder::new();
    let outcome = terzetto::run(ExecutorAsync::new(topology(), options(&folder))?.run())?;
    assert_eq!((outcome.done, outcome.failed.len()), (8, 2));
    let job = &jobs(&folder.0)[0];
    let read =
        |name: &str| fs::read_to_string(job.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(read("params.toml"), "number = 10\n");
    assert_eq!(names(&job.join("errors"), ""), ["exception_check_it_3.txt", "exception_check_it_7.txt"]);
    assert_eq!(
        read("errors/exception_check_it_3.txt"),
        "work: check it\nitem: dir/3\nerror: cannot check\ncaused by: no light\ncaused by: no power\n"
    );
    assert_eq!(read("errors/exception_check_it_7.txt"), "work: check it\nitem: dir/7\npanic: seven\n");
    let mut results: Vec<String> = read("results.txt").lines().map(str::to_owned).collect();
    results.sort();
    assert_eq!(results.len(), 10);
    assert_eq!((results[0].as_str(), results[9].as_str()), ("done\tdir/0", "failed\tdir/7"));

    let reports = job_reports(&folder.0);
    let [report] = &reports[..] else { panic!("one job, not {reports:?}") };
    assert_eq!(report.state, JobState::Ended("finished".to_owned()));
    assert_eq!((report.done, report.failed, report.expected), (8, 2, Some(10)));
    assert_eq!((report.topology.as_str(), report.executor.as_str()), ("numbers", "async"));
    assert!(report.elapsed.is_some_and(|elapsed| elapsed < Duration::from_secs(60)));
    Ok(())
}

#[test]
fn jobs_of_one_second_have_folders_of_their_own() -> Result<(), Error> {
    let folder = Folder::new();
    for _ in 0..3 {
        ExecutorSequential::new(topology(), options(&folder))?.run()?;
    }
    assert_eq!(jobs(&folder.0).len(), 3);
    Ok(())
}

#[test]
fn a_folder_in_use_is_refused() -> Result<(), Error> {
    let folder = Folder::new();
    let inner = folder.0.clone();
    let mut outer = Topology::new("outer");
    let numbers = outer.queue::<usize>("numbers");
    outer.source("count", &numbers, [("1", 1)]);
    // The other run is in the middle of its own.
    outer.io("second run", &numbers).each(move |_, _| {
        let second = ExecutorSequential::new(topology(), Options::new().results_folder(&inner))?;
        second.run().map(|_| ()).map_err(Into::into)
    });
    let outcome = terzetto::run(ExecutorAsync::new(outer, options(&folder))?.run())?;
    let (_, error) = &outcome.failed[0];
    assert!(matches!(error.downcast_ref(), Some(JobError::InUse(by)) if by.pid == std::process::id()));
    // Of the refused job nothing is left.
    assert_eq!(jobs(&folder.0).len(), 1);
    Ok(())
}

#[test]
fn a_missing_folder_is_named() -> Result<(), Error> {
    let folder = Folder::new();
    let missing = folder.join("missing");
    let executor = ExecutorSequential::new(topology(), Options::new().results_folder(&missing))?;
    let error = executor.run().expect_err("there is no such folder");
    assert!(error.to_string().contains(&missing.display().to_string()), "{error}");
    Ok(())
}
