//! An executor of one's own: the async functions of fluidimage's, overridden.

mod common;

use std::{cell::RefCell, collections::BTreeMap};

use terzetto::{Error, Nursery, fail_after};
use terzetto_executor::{
    Ending, ExecutorAsync, Options, Topology,
    run::{ExecutorFunctions, RunLoops, WorkLoop},
};

fn topology() -> Topology {
    let mut topology = Topology::new("all kinds");
    let [numbers, read, awaited] = ["numbers", "read", "awaited"].map(|name| topology.queue::<usize>(name));
    topology.source("list", &numbers, (0..200).map(|n| (n.to_string(), n)));
    topology.io("read", &numbers).to(&read).each(|_, n| Ok(n));
    topology.task("await", &read).to(&awaited).each(async |_, n| Ok(n));
    topology.cpu("compute", &awaited).each(|_, _| Ok(()));
    topology
}

/// Writes down which function is called for which work.
#[derive(Default)]
struct Notes(RefCell<BTreeMap<String, &'static str>>);

impl Notes {
    fn note(&self, work: &str, function: &'static str) {
        self.0.borrow_mut().insert(work.to_owned(), function);
    }
}

impl ExecutorFunctions for Notes {
    async fn async_func_work_io<'scope, 'env>(
        &'env self,
        work: WorkLoop<'env>,
        nursery: &'scope Nursery<'scope, 'env>,
    ) -> Result<(), Error> {
        self.note(work.name(), "io");
        work.run(nursery).await
    }

    async fn async_func_work_cpu<'scope, 'env>(
        &'env self,
        work: WorkLoop<'env>,
        nursery: &'scope Nursery<'scope, 'env>,
    ) -> Result<(), Error> {
        self.note(work.name(), "cpu");
        work.run(nursery).await
    }

    async fn async_func_work_global<'scope, 'env>(
        &'env self,
        work: WorkLoop<'env>,
        nursery: &'scope Nursery<'scope, 'env>,
    ) -> Result<(), Error> {
        self.note(work.name(), "global");
        work.run(nursery).await
    }

    async fn update_has_to_stop<'env>(&'env self, run: RunLoops<'env>) -> Result<(), Error> {
        run.monitor().await?;
        assert!(run.has_to_stop());
        self.note("the run", "stop");
        Ok(())
    }
}

#[test]
fn fun_01_each_function_can_be_overridden() -> Result<(), Error> {
    for on_one_thread in [false, true] {
        let make = if on_one_thread { ExecutorAsync::on_one_thread } else { ExecutorAsync::new };
        let notes = Notes::default();
        let outcome = terzetto::run(fail_after(60.0, make(topology(), Options::new())?.run_with(&notes)))?;
        assert_eq!((outcome.done, outcome.ending), (200, Ending::Finished));
        let found: Vec<_> = notes.0.into_inner().into_iter().collect();
        let expected =
            [("await", "io"), ("compute", "cpu"), ("list", "global"), ("read", "io"), ("the run", "stop")];
        assert_eq!(found, expected.map(|(work, function)| (work.to_owned(), function)));
    }
    Ok(())
}

/// Starts the loops by itself, and leaves out what it does not know.
struct NoCpu;

impl ExecutorFunctions for NoCpu {
    async fn async_func_work_cpu<'scope, 'env>(
        &'env self,
        _: WorkLoop<'env>,
        _: &'scope Nursery<'scope, 'env>,
    ) -> Result<(), Error> {
        Err(Error::msg("no cpu today"))
    }
}

#[test]
fn fun_02_an_error_of_a_loop_ends_the_run() -> Result<(), Error> {
    let executor = ExecutorAsync::new(topology(), Options::new())?;
    let error = terzetto::run(fail_after(60.0, executor.run_with(&NoCpu))).expect_err("a loop has failed");
    assert!(error.to_string().contains("no cpu today"), "{error}");
    Ok(())
}

/// A loop that returns although the run goes on.
struct Early;

impl ExecutorFunctions for Early {
    async fn async_func_work_cpu<'scope, 'env>(
        &'env self,
        _: WorkLoop<'env>,
        _: &'scope Nursery<'scope, 'env>,
    ) -> Result<(), Error> {
        Ok(())
    }
}

#[test]
fn fun_03_a_loop_that_returns_early_ends_the_run_and_what_is_left_is_named() -> Result<(), Error> {
    let executor = ExecutorAsync::new(topology(), Options::new())?;
    let outcome = terzetto::run(fail_after(60.0, executor.run_with(&Early)))?;
    assert!(!outcome.unfinished.is_empty(), "{outcome:?}");
    assert!(!outcome.is_complete());
    Ok(())
}
