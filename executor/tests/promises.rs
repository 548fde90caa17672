//! Sentences of the documentation that promise something of every case, where no other test holds them.

mod common;

use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    thread,
};

use terzetto::Error;
use terzetto_executor::{
    Ending, ExecutorAsync, ExecutorSequential, ItemError, Key, Observer, Options, Outcome, Queue, Topology,
    job::job_reports, results::write_atomic,
};

use common::{Folder, jobs, names};

fn execute(executor: ExecutorAsync) -> Result<Outcome, Error> {
    terzetto::run(terzetto::fail_after(30.0, executor.run()))
}

/// Counts what it is told.
#[derive(Clone, Default)]
struct Told {
    failed: Arc<AtomicUsize>,
    arrived: Arc<AtomicUsize>,
}

impl Observer for Told {
    fn failed(&self, _: &ItemError) {
        self.failed.fetch_add(1, SeqCst);
    }

    fn arrived(&self, _: &Key, error: Option<&ItemError>) {
        self.arrived.fetch_add(error.is_some().into(), SeqCst);
    }
}

#[test]
fn an_error_goes_into_all_outputs_and_an_observer_is_told_once() -> Result<(), Error> {
    let mut topology = Topology::new("split");
    let start = topology.queue::<usize>("start");
    let halves = topology.queue::<usize>("halves");
    let ends = [topology.results::<usize>("one"), topology.results::<usize>("two")];
    topology.source("count", &start, (0..4).map(|n| (n.to_string(), n)));
    let outputs = (&halves, &ends[1]);
    topology
        .cpu("split", &start)
        .to(outputs)
        .each(|_, n| if n == 2 { Err("no two".into()) } else { Ok((n, n)) });
    topology.cpu("go on", &halves).to(&ends[0]).each(|_, n| Ok(n));
    let mut executor = ExecutorAsync::new(topology, Options::new().max_workers(2))?;
    let told = Told::default();
    executor.observe(told.clone());
    execute(executor)?;
    for end in ends {
        let items = end.drain();
        assert_eq!(items.len(), 4);
        let failed: Vec<_> = items.iter().filter(|(_, value)| value.is_err()).collect();
        assert!(matches!(&failed[..], [(key, _)] if key.as_str() == "2"), "{failed:?}");
    }
    assert_eq!((told.failed.load(SeqCst), told.arrived.load(SeqCst)), (1, 2));
    Ok(())
}

#[test]
fn a_control_does_nothing_once_its_run_has_ended() -> Result<(), Error> {
    let mut topology = Topology::new("short");
    let start = topology.queue::<usize>("start");
    topology.source("count", &start, [("1", 1)]);
    topology.cpu("end", &start).each(|_, _| Ok(()));
    let executor = ExecutorAsync::new(topology, Options::new())?;
    let control = executor.control();
    let outcome = execute(executor)?;
    control.stop();
    thread::spawn(move || control.cancel()).join().expect("it does nothing");
    assert_eq!((outcome.ending, outcome.done), (Ending::Finished, 1));
    Ok(())
}

#[test]
fn items_leave_a_queue_by_key_at_any_position_or_in_order() {
    let queue = Queue::standalone("queue", 10);
    for (n, key) in ["a", "b", "c", "b"].into_iter().enumerate() {
        queue.push(key, n);
    }
    assert!(matches!(queue.take(&"b".into()), Some(Ok(1))));
    assert!(queue.take(&"x".into()).is_none());
    let rest: Vec<_> = queue.drain().into_iter().filter_map(|(_, value)| value.ok()).collect();
    assert_eq!(rest, [0, 2, 3]);
    assert!(queue.is_empty());
}

/// Counts its clones.
struct Cloned(Arc<AtomicUsize>);

impl Clone for Cloned {
    fn clone(&self) -> Self {
        self.0.fetch_add(1, SeqCst);
        Cloned(self.0.clone())
    }
}

#[test]
fn a_member_is_cloned_for_all_but_the_last_group() -> Result<(), Error> {
    let clones = Arc::new(AtomicUsize::new(0));
    let counter = clones.clone();
    let mut topology = Topology::new("clones");
    let groups = topology.queue::<[Key; 1]>("groups");
    let start = topology.queue::<usize>("start");
    let members = topology.queue::<Cloned>("members");
    let joined = topology.queue::<[Cloned; 1]>("joined");
    topology.one_shot("list", (), (&groups, &start), |(), (groups, start)| {
        for group in ["first", "second", "third"] {
            groups.push(group, ["member".into()]);
        }
        start.push("member", 1);
        Ok(())
    });
    topology.io("make", &start).to(&members).each(move |_, _| Ok(Cloned(counter.clone())));
    topology.join("join", &groups, &members).to(&joined);
    topology.cpu("end", &joined).each(|_, _| Ok(()));
    let outcome = execute(ExecutorAsync::new(topology, Options::new())?)?;
    assert_eq!((outcome.done, clones.load(SeqCst)), (3, 2));
    Ok(())
}

#[test]
fn whoever_reads_a_file_while_it_is_written_again_finds_it_whole() {
    let folder = Folder::new();
    let path = folder.join("file");
    let contents = |n: u8| vec![n; 100_000 + usize::from(n)];
    write_atomic(&path, &contents(0)).expect("written");
    let done = AtomicBool::new(false);
    thread::scope(|threads| {
        let reader = threads.spawn(|| {
            let mut reads = 0;
            while !done.load(SeqCst) {
                let found = fs::read(&path).expect("it is always there");
                assert_eq!(found, contents(found[0]));
                reads += 1;
            }
            reads
        });
        for n in 1..50 {
            write_atomic(&path, &contents(n)).expect("written");
        }
        done.store(true, SeqCst);
        assert!(reader.join().expect("every read found it whole") > 0);
    });
    assert_eq!(fs::read_dir(&folder.0).expect("the folder").count(), 1, "no temporary file is left");
}

#[test]
fn jobs_are_reported_in_the_order_of_the_times_in_their_names() -> Result<(), Error> {
    let folder = Folder::new();
    let mut topology = Topology::new("numbers");
    let start = topology.queue::<usize>("start");
    topology.source("count", &start, [("1", 1)]);
    topology.cpu("end", &start).each(|_, _| Ok(()));
    ExecutorSequential::new(topology, Options::new().results_folder(&folder.0))?.run()?;
    let now = jobs(&folder.0).remove(0);
    // The same job at other times.
    let others = ["job_2001-01-01T00-00-00_9", "job_9999-01-01T00-00-00_1", "job_2000-12-31T23-59-59_10"];
    for other in others.map(|name| folder.join(name)) {
        fs::create_dir(&other)?;
        for file in names(&now, ".txt").into_iter().chain(names(&now, ".toml")) {
            fs::copy(now.join(&file), other.join(&file))?;
        }
    }
    let found: Vec<_> = job_reports(&folder.0).into_iter().map(|report| report.folder).collect();
    assert_eq!(found, [folder.join(others[2]), folder.join(others[0]), now, folder.join(others[1])]);
    Ok(())
}
