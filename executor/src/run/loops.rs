//! The loops: one for each work, all in one nursery, and one that ends the run.
//!
//! Function for function these are the loops of fluidimage's `ExecutorAsync`. What differs is how a
//! loop waits: there it looks every `sleep_time` whether it may start a worker, here it sleeps until
//! its bell is rung. And a worker, once started, goes on with whatever may start next, instead of
//! leaving its thread after one item.

use std::{sync::Arc, time::Duration};

use terzetto::{CancelScope, Error, ErrorGroup, Nursery, checkpoint, move_on_after, nursery, to_thread};

use super::{Ending, Observer};
use crate::{
    graph::{ItemError, Kind},
    scheduler::{Board, Shift, Stage},
};

/// What the loops share.
#[derive(Clone, Copy)]
pub(super) struct Loops<'a> {
    pub board: &'a Arc<Board>,
    /// Do workers have threads of their own, or do they take turns on the loop's?
    pub threads: bool,
    pub sleep_time: Duration,
}

impl<'env> Loops<'env> {
    /// Opens the nursery and starts everything in it; returns when the run has ended and no worker
    /// works any more.
    ///
    /// # Errors
    /// Every error that ended the run, as a group; a cancellation from outside.
    pub async fn start_async_works(self, observers: Vec<Box<dyn Observer>>) -> Result<(), Error> {
        let scope = CancelScope::new();
        // `None` if the scope caught its own cancellation: the board knows why.
        let _caught = scope
            .run(async {
                nursery(async |nursery| {
                    self.define_functions(nursery);
                    nursery.start_soon_named("update_has_to_stop", self.update_has_to_stop(&scope));
                    self.board.open(observers);
                    Ok(())
                })
                .await
            })
            .await?;
        Ok(())
    }

    /// Starts each work's loop, after its kind.
    fn define_functions<'scope>(self, nursery: &'scope Nursery<'scope, 'env>)
    where
        'env: 'scope,
    {
        for (index, stage) in self.board.stages.iter().enumerate() {
            let name = format!("loop of {}", stage.name);
            let work = Loop { loops: self, index, stage };
            match stage.kind {
                Kind::Io => nursery.start_soon_named(name, work.async_func_work_io(nursery)),
                Kind::Cpu => nursery.start_soon_named(name, work.async_func_work_cpu(nursery)),
                _ => nursery.start_soon_named(name, work.async_func_work_global(nursery)),
            };
        }
    }

    /// Tells statistics every `sleep_time`, looks for work that was not worth a call at first and
    /// has been waiting ever since, and ends the loops.
    async fn update_has_to_stop(self, scope: &CancelScope) -> Result<(), Error> {
        let _closer = Closer(self.board);
        while !self.board.is_closed() {
            let rung =
                move_on_after(self.sleep_time.as_secs_f64(), async { Ok(self.board.end.wait().await?) });
            if rung.await?.is_some() {
                continue;
            }
            self.board.tick();
            if !self.board.observers().is_empty() {
                let statistics = self.board.statistics();
                for observer in self.board.observers() {
                    observer.statistics(&statistics);
                }
            }
        }
        if self.board.asked() == Some(Ending::Cancelled) {
            scope.cancel_with_reason("the executor's run was cancelled");
        }
        Ok(())
    }
}

/// The loop of one work.
#[derive(Clone, Copy)]
struct Loop<'a> {
    loops: Loops<'a>,
    index: usize,
    stage: &'a Stage,
}

impl<'env> Loop<'env> {
    /// The loop of an io work.
    async fn async_func_work_io<'scope>(self, nursery: &'scope Nursery<'scope, 'env>) -> Result<(), Error> {
        self.listen(|| {
            let name = format!("worker for {}", self.stage.name);
            nursery.start_soon_named(name, self.async_run_work_io());
        })
        .await
    }

    /// The loop of a cpu work.
    async fn async_func_work_cpu<'scope>(self, nursery: &'scope Nursery<'scope, 'env>) -> Result<(), Error> {
        self.listen(|| {
            let name = format!("worker for {}", self.stage.name);
            nursery.start_soon_named(name, self.async_run_work_cpu());
        })
        .await
    }

    /// The loop of a work with whole queues, or of a source.
    async fn async_func_work_global<'scope>(
        self,
        nursery: &'scope Nursery<'scope, 'env>,
    ) -> Result<(), Error> {
        self.listen(|| {
            let name = format!("worker for {}", self.stage.name);
            nursery.start_soon_named(name, self.run_worker());
        })
        .await
    }

    /// Starts a worker for each ring of the bell, until the run is closed.
    async fn listen(self, start: impl Fn()) -> Result<(), Error> {
        // However the loop ends, nobody must wait for it.
        let _closer = Closer(self.loops.board);
        loop {
            let rings = self.stage.bell.wait().await?;
            if self.loops.board.is_closed() {
                return Ok(());
            }
            for _ in 0..rings {
                start();
            }
        }
    }

    /// A worker that begins with an item that mostly waits.
    async fn async_run_work_io(self) -> Result<(), Error> {
        self.run_worker().await
    }

    /// A worker that begins with an item that mostly computes.
    async fn async_run_work_cpu(self) -> Result<(), Error> {
        self.run_worker().await
    }

    /// A worker, from its coming to its leaving.
    async fn run_worker(self) -> Result<(), Error> {
        let Loop { loops: Loops { board, threads, .. }, index, .. } = self;
        let errors = if threads {
            let board = board.clone();
            to_thread::run_sync(move || {
                let mut shift = Shift::called(&board, index);
                while shift.turn() {}
                shift.take_errors()
            })
            .await?
        } else {
            let mut shift = Shift::called(board, index);
            while shift.turn() {
                checkpoint().await?;
            }
            shift.take_errors()
        };
        ended_by(errors)
    }
}

/// The error of a worker whose items ended the run.
pub(super) fn ended_by(errors: Vec<ItemError>) -> Result<(), Error> {
    let mut errors: Vec<Error> = errors.into_iter().map(Error::from).collect();
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        _ => Err(ErrorGroup::new("several items of a worker failed", errors).into()),
    }
}

/// Closes the run when its loop is dropped: workers in threads must not go on alone.
struct Closer<'a>(&'a Board);

impl Drop for Closer<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
