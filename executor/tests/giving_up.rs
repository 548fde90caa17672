//! A run that makes no sense any more ends by itself; very many errors are counted, and few are kept.

mod common;

use std::io;

use terzetto::Error;
use terzetto_executor::{BoxError, Ending, GaveUp, Options, Topology};

use common::{
    Folder,
    executors::{EVERYWHERE, execute_within},
    jobs, names, small,
};

/// Numbers, each of which a work looks at.
fn topology(count: usize, look: impl Fn(usize) -> Result<(), BoxError> + Send + Sync + 'static) -> Topology {
    let mut topology = Topology::new("numbers");
    let numbers = topology.queue::<usize>("numbers");
    topology.source("count", &numbers, (0..count).map(|n| (n.to_string(), n)));
    topology.io("look", &numbers).each(move |_, n| look(n));
    topology
}

#[test]
fn end_01_a_run_gives_up_after_so_many_errors() -> Result<(), Error> {
    for on in EVERYWHERE {
        let odd = topology(10_000, |n| if n % 2 == 1 { Err("odd".into()) } else { Ok(()) });
        let outcome = execute_within(60.0, odd, small().max_errors(5), on)?;
        assert_eq!(outcome.ending, Ending::GaveUp, "{on:?}");
        assert!(matches!(outcome.gave_up, Some(GaveUp::TooManyErrors(5))), "{on:?}: {:?}", outcome.gave_up);
        assert!((5..=8).contains(&outcome.failed_count), "{on:?}: {}", outcome.failed_count);
        assert!(!outcome.is_complete());
        // What had not come yet is named.
        assert!(outcome.unfinished.iter().any(|left| left.at == "count"), "{on:?}: {:?}", outcome.unfinished);
        let few = topology(20, |n| if n < 4 { Err("small".into()) } else { Ok(()) });
        let outcome = execute_within(60.0, few, small().max_errors(5), on)?;
        assert_eq!((outcome.ending, outcome.failed_count, outcome.done), (Ending::Finished, 4, 16), "{on:?}");
    }
    Ok(())
}

#[test]
fn end_02_a_run_gives_up_when_nothing_can_be_written() -> Result<(), Error> {
    use io::ErrorKind::{NotFound, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    /// The error of a program's own around that of the system.
    #[derive(Debug)]
    struct CannotSave(io::Error);
    impl std::fmt::Display for CannotSave {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("cannot save")
        }
    }
    impl std::error::Error for CannotSave {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    for on in EVERYWHERE {
        for kind in [QuotaExceeded, ReadOnlyFilesystem, StorageFull] {
            let full =
                topology(10_000, move |n| if n < 10 { Ok(()) } else { Err(CannotSave(kind.into()).into()) });
            let outcome = execute_within(60.0, full, small(), on)?;
            assert_eq!(outcome.ending, Ending::GaveUp, "{on:?}");
            let Some(reason @ GaveUp::NoRoom(error)) = &outcome.gave_up else {
                panic!("{:?}", outcome.gave_up)
            };
            assert!(error.is_no_room());
            assert!(
                reason.to_string().contains("nothing can be written any more: work `look` failed on"),
                "{reason}"
            );
            assert!((3..=6).contains(&outcome.failed_count), "{on:?}: {}", outcome.failed_count);
        }
        // Other errors are those of their items.
        let outcome =
            execute_within(60.0, topology(100, |_| Err(io::Error::from(NotFound).into())), small(), on)?;
        assert_eq!((outcome.ending, outcome.failed_count), (Ending::Finished, 100), "{on:?}");
    }
    Ok(())
}

#[test]
fn end_03_of_very_many_errors_all_are_counted_and_few_kept() -> Result<(), Error> {
    const COUNT: usize = 50_000;
    for on in EVERYWHERE {
        let folder = Folder::new();
        let options = Options::new().errors_kept(10).results_folder(&folder.0).expected_results(COUNT);
        let outcome = execute_within(120.0, topology(COUNT, |_| Err("no".into())), options, on)?;
        assert_eq!((outcome.failed_count, outcome.failed.len()), (COUNT, 10), "{on:?}");
        assert_eq!((outcome.done, outcome.missing, outcome.is_complete()), (0, 0, false), "{on:?}");
        let job = &jobs(&folder.0)[0];
        assert_eq!(names(&job.join("errors"), ".txt").len(), 10, "{on:?}");
        let list = std::fs::read_to_string(job.join("results.txt")).expect("the list of results");
        assert_eq!(list.lines().filter(|line| line.starts_with("failed\t")).count(), COUNT, "{on:?}");
    }
    Ok(())
}
