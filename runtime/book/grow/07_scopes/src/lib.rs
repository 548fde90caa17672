// Step 7: cancellation. A task that fails ends the others.

use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    pin::{Pin, pin},
    rc::{Rc, Weak},
    task::{Context, Poll, Waker},
    time::Duration,
};
use step_03::TaskSet;

#[derive(Debug, PartialEq)]
pub enum Error {
    Cancelled,
    Failed(String),
    Group(Vec<Error>),
}

pub fn failed<T>(text: &str) -> Result<T, Error> {
    Err(Error::Failed(text.to_owned()))
}

/// What is left of an error when the cancellations are taken out.
fn without_cancelled(error: Error) -> Option<Error> {
    match error {
        Error::Cancelled => None,
        Error::Group(errors) => {
            let left: Vec<Error> = errors.into_iter().filter_map(without_cancelled).collect();
            (!left.is_empty()).then_some(Error::Group(left))
        }
        failed => Some(failed),
    }
}

thread_local! {
    /// The scope of the code that is being polled.
    static CURRENT: RefCell<Option<Scope>> = const { RefCell::new(None) };
}

fn current() -> Option<Scope> {
    CURRENT.with_borrow(Clone::clone)
}

/// Code that can be cancelled together. Clones are handles of the same scope.
#[derive(Clone, Default)]
pub struct Scope(Rc<State>);

#[derive(Default)]
struct State {
    cancelled: Cell<bool>,
    shield: bool,
    parent: RefCell<Option<Scope>>,
    /// The tasks that wait in this scope, or in one inside it.
    waiting: RefCell<Vec<Waker>>,
}

impl Scope {
    pub fn shielded() -> Scope {
        Scope(Rc::new(State { shield: true, ..State::default() }))
    }

    /// Cancels the scope for good, and wakes all that wait in it, so that they look.
    pub fn cancel(&self) {
        self.0.cancelled.set(true);
        let waiting = self.0.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The scope around this one, if no shield is in between.
    fn above(&self) -> Option<Scope> {
        if self.0.shield { None } else { self.0.parent.borrow().clone() }
    }

    /// Whether code in this scope is cancelled. This is asked at each checkpoint: it is level-triggered.
    fn is_cancelled(&self) -> bool {
        self.0.cancelled.get() || self.above().is_some_and(|above| above.is_cancelled())
    }

    /// Has a task woken when this scope, or one around it, is cancelled.
    fn wait(&self, waker: &Waker) {
        let mut waiting = self.0.waiting.borrow_mut();
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
        if let Some(above) = self.above() {
            above.wait(waker);
        }
    }

    /// Runs a future in the scope. `None` if the scope was cancelled and cut it short. The scope swallows its own
    /// cancellation, unless a scope around it is cancelled, too: then that one swallows it.
    pub async fn run<T>(&self, inside: impl Future<Output = Result<T, Error>>) -> Result<Option<T>, Error> {
        self.0.parent.replace(current());
        let mut inside = pin!(inside);
        let outcome = poll_fn(|cx| self.poll_inside(inside.as_mut(), cx)).await;
        let swallows = self.0.cancelled.get() && !self.above().is_some_and(|above| above.is_cancelled());
        match outcome {
            Ok(value) => Ok(Some(value)),
            Err(error) if swallows => without_cancelled(error).map_or(Ok(None), Err),
            Err(error) => Err(error),
        }
    }

    /// Polls with this scope as the current one.
    fn poll_inside<F: Future>(&self, inside: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let outside = CURRENT.replace(Some(self.clone()));
        let polled = inside.poll(cx);
        CURRENT.set(outside);
        polled
    }
}

/// Makes an operation of a future: it fails in a cancelled scope.
pub async fn cancellable<T>(future: impl Future<Output = T>) -> Result<T, Error> {
    let mut future = pin!(future);
    poll_fn(|cx| {
        if let Some(scope) = current() {
            if scope.is_cancelled() {
                return Poll::Ready(Err(Error::Cancelled));
            }
            scope.wait(cx.waker());
        }
        future.as_mut().poll(cx).map(Ok)
    })
    .await
}

pub async fn sleep(time: Duration) -> Result<(), Error> {
    cancellable(step_04::sleep(time)).await
}

/// A scope with a deadline.
pub async fn move_on_after<T>(
    time: Duration,
    inside: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    let scope = Scope::default();
    let (mut timer, mut block) = (pin!(step_04::sleep(time)), pin!(scope.run(inside)));
    poll_fn(|cx| {
        if timer.as_mut().poll(cx).is_ready() {
            scope.cancel();
        }
        block.as_mut().poll(cx)
    })
    .await
}

pub struct Nursery<'env> {
    tasks: Weak<TaskSet<'env, Result<(), Error>>>,
    /// The scope around the body and all tasks.
    pub scope: Scope,
}

impl<'env> Nursery<'env> {
    pub fn start_soon(&self, task: impl Future<Output = Result<(), Error>> + 'env) {
        self.tasks.upgrade().expect("the nursery is closed").spawn(task);
    }
}

/// As in step 6. When one fails, the others are cancelled. `None` if the nursery's own scope ended the body.
pub async fn nursery<'env, T>(
    body: impl AsyncFnOnce(&Nursery<'env>) -> Result<T, Error>,
) -> Result<Option<T>, Error> {
    let tasks = Rc::new(TaskSet::default());
    let n = Nursery { tasks: Rc::downgrade(&tasks), scope: Scope::default() };
    let errors = RefCell::new(Vec::new());
    let fail = |error| {
        errors.borrow_mut().push(error);
        n.scope.cancel();
    };
    let mut value = None;
    let block = async {
        let mut body = pin!(body(&n));
        let mut body_ended = false;
        poll_fn(|cx| {
            if !body_ended && let Poll::Ready(outcome) = body.as_mut().poll(cx) {
                body_ended = true;
                outcome.map_or_else(fail, |returned| value = Some(returned));
            }
            tasks.tick(cx, |outcome| outcome.unwrap_or_else(fail));
            if body_ended && tasks.is_empty() { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let errors = errors.take();
        if errors.is_empty() { Ok(()) } else { Err(Error::Group(errors)) }
    };
    n.scope.run(block).await?;
    Ok(value)
}
