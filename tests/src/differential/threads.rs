//! Worker threads, and what they have the loop do.

use super::{
    hold::{Gates, UnderWay},
    interpret::Task,
    outside_words::{ThreadAction, ThreadStatement},
    program::Block,
    run::{current, limited},
    sync::{set_variable, variable},
    trace::{Over, UserError, shape},
};
use serde_json::{Value, json};
use std::{
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};
use terzetto::{Error, from_thread, lowlevel::RunFinished, to_thread};

/// What a thread knows.
struct Worker {
    name: String,
    gates: Arc<Gates>,
    log: Arc<Mutex<Vec<Value>>>,
}

impl Worker {
    fn work(&self, block: &[ThreadStatement]) -> Result<(), Error> {
        for ThreadStatement { word, action } in block {
            if self.gates.is_over() {
                return Err(Over.into());
            }
            let outcome = self.statement(action);
            let told = outcome.as_ref().map_or_else(shape, Value::clone);
            self.log.lock().unwrap_or_else(PoisonError::into_inner).push(json!([word, told]));
            outcome?;
        }
        Ok(())
    }

    fn statement(&self, action: &ThreadAction) -> Result<Value, Error> {
        match action {
            ThreadAction::Gate(number) => {
                if self.gates.wait(*number) {
                    return Err(Over.into());
                }
            }
            ThreadAction::CheckCancelled => from_thread::check_cancelled()?,
            ThreadAction::Raise(name) => return Err(UserError(name.clone()).into()),
            ThreadAction::ContextSet(number, value) => set_variable(*number, *value),
            ThreadAction::ContextGet(number) => return Ok(variable(*number)),
            ThreadAction::FromSync(statement) => {
                let (name, statement) = (self.name.clone(), statement.clone());
                over(from_thread::run_sync(move || {
                    let objects = current();
                    let task = Task::new(&objects, &name);
                    let block = [&*statement];
                    let mut done = pin!(task.statements(block));
                    // Statements that do not wait end in their first step.
                    let first = done.as_mut().poll(&mut Context::from_waker(Waker::noop()));
                    assert!(matches!(first, Poll::Ready(Ok(()))), "it does not wait, and does not fail");
                }))?;
            }
            ThreadAction::FromRun(block) => {
                let (name, block) = (self.name.clone(), block.clone());
                over(from_thread::run(async move || from_run(name, block).await))?;
            }
        }
        Ok(json!("ok"))
    }
}

/// A call that fails because the run is finished ends the thread.
fn over<T>(outcome: Result<T, Error>) -> Result<T, Error> {
    outcome.map_err(|error| if error.downcast_ref::<RunFinished>().is_some() { Over.into() } else { error })
}

/// In the loop: what a thread waits for. Meanwhile the thread is not under way.
async fn from_run(name: String, block: Arc<Block>) -> Result<(), Error> {
    let objects = current();
    objects.hold.end();
    let outcome = limited(&objects, &name, &block).await;
    objects.hold.begin();
    outcome
}

impl<'i: 's, 's> Task<'i, 's> {
    pub(super) async fn thread(
        &self,
        name: &str,
        abandon: bool,
        block: &Arc<Vec<ThreadStatement>>,
    ) -> Result<Value, Error> {
        let log = Arc::<Mutex<Vec<Value>>>::default();
        let under_way = UnderWay::new(&self.objects.hold);
        let worker =
            Worker { name: name.to_owned(), gates: self.objects.hold.gates.clone(), log: log.clone() };
        let (block, in_thread) = (block.clone(), under_way.clone());
        let work = move || {
            if !in_thread.begin() {
                return Ok(());
            }
            let outcome = worker.work(&block);
            in_thread.end();
            outcome
        };
        let outcome = to_thread::options().abandon_on_cancel(abandon).run_sync(work).await;
        if under_way.leave() {
            let log = std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
            self.note("log", Value::Array(log));
        }
        match outcome? {
            Err(error) if error.downcast_ref::<Over>().is_some() => Ok(json!("over")),
            done => done.map(|()| json!("ok")),
        }
    }
}
