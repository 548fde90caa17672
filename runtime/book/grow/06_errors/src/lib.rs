// Step 6: tasks may fail, and no error is lost.

use std::{
    cell::RefCell,
    future::poll_fn,
    pin::pin,
    rc::{Rc, Weak},
    task::Poll,
};
use step_03::TaskSet;

#[derive(Debug, PartialEq)]
pub enum Error {
    Failed(String),
    /// What a nursery returns: all errors of its tasks and its body.
    Group(Vec<Error>),
}

pub fn failed<T>(text: &str) -> Result<T, Error> {
    Err(Error::Failed(text.to_owned()))
}

pub struct Nursery<'env> {
    tasks: Weak<TaskSet<'env, Result<(), Error>>>,
}

impl<'env> Nursery<'env> {
    pub fn start_soon(&self, task: impl Future<Output = Result<(), Error>> + 'env) {
        self.tasks.upgrade().expect("the nursery is closed").spawn(task);
    }
}

/// As in step 5. When all have ended, it fails with all errors together. It does not yet end the others when one fails:
/// it cannot, before step 7.
pub async fn nursery<'env, T>(body: impl AsyncFnOnce(Nursery<'env>) -> Result<T, Error>) -> Result<T, Error> {
    let tasks = Rc::new(TaskSet::default());
    let mut body = pin!(body(Nursery { tasks: Rc::downgrade(&tasks) }));
    let errors = RefCell::new(Vec::new());
    let mut body_ended = false;
    let mut value = None;
    poll_fn(|cx| {
        if !body_ended && let Poll::Ready(outcome) = body.as_mut().poll(cx) {
            body_ended = true;
            match outcome {
                Ok(returned) => value = Some(returned),
                Err(error) => errors.borrow_mut().push(error),
            }
        }
        tasks.tick(cx, |outcome| errors.borrow_mut().extend(outcome.err()));
        if body_ended && tasks.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    match value {
        Some(value) if errors.borrow().is_empty() => Ok(value),
        _ => Err(Error::Group(errors.take())),
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, failed, nursery};
    use std::time::Duration;
    use step_04::{run, sleep};

    #[test]
    fn all_errors_come_out_together() {
        let outcome = run(nursery(async |n| {
            n.start_soon(async { failed("first") });
            n.start_soon(async {
                sleep(Duration::from_millis(5)).await;
                failed("second")
            });
            n.start_soon(async { Ok(()) });
            failed::<()>("the body")
        }));
        let errors = ["the body", "first", "second"].map(|text| Error::Failed(text.to_owned()));
        assert_eq!(outcome, Err(Error::Group(errors.into())));
    }

    #[test]
    fn a_block_without_errors_has_a_value() {
        assert_eq!(run(nursery(async |_| Ok(42))), Ok(42));
    }

    #[test]
    fn groups_nest_as_nurseries_do() {
        let outcome = run(nursery(async |n| {
            n.start_soon(nursery(async |inner| {
                inner.start_soon(async { failed("deep") });
                Ok(())
            }));
            Ok(())
        }));
        let inner = Error::Group(vec![Error::Failed("deep".into())]);
        assert_eq!(outcome, Err(Error::Group(vec![inner])));
    }
}
