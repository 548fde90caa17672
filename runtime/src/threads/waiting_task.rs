//! The task that waits for a job: how the worker's result and its calls reach that task.

use crate::{
    Cancelled,
    core::{
        block::{
            awaited::{Awaited, EndedBy},
            operation::{Aborted, Operation},
            wait::Blocked,
        },
        ids::WaitId,
        run::Run,
    },
    threads::job,
};
use std::{
    borrow::Cow,
    cell::{Cell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// Makes the future that does a call, on the loop.
pub(super) type Begin = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// Something that a thread asks the loop to do for it.
pub(super) struct LoopCall {
    /// Makes the future that does it, on the loop.
    pub(super) begin: Begin,
    /// Whether one poll completes it, as for a plain call, so that it needs no task.
    pub(super) is_call: bool,
}

impl LoopCall {
    /// Does a plain call without a task.
    pub(super) fn make_call(self) {
        let done = (self.begin)().as_mut().poll(&mut Context::from_waker(Waker::noop()));
        debug_assert!(done.is_ready(), "a plain call does not wait");
    }
}

/// What the loop tells the task that waits for a job.
pub(super) enum ToCaller {
    Done,
    LoopCall(LoopCall),
}

/// The task that waits for a job.
pub(super) struct Caller {
    pub(super) job: Arc<job::JobShared>,
    pub(super) abandons: bool,
    /// The name of the job.
    name: Cow<'static, str>,
    pub(super) message: RefCell<VecDeque<ToCaller>>,
    wait: Cell<Option<WaitId>>,
}

impl Caller {
    pub(super) fn new(job: Arc<job::JobShared>, abandons: bool, name: Cow<'static, str>) -> Rc<Caller> {
        Rc::new(Caller { job, abandons, name, message: RefCell::default(), wait: Cell::new(None) })
    }

    pub(super) fn deliver(&self, run: &Run, message: ToCaller) {
        self.message.borrow_mut().push_back(message);
        if let Some(wait) = self.wait.take() {
            run.reschedule(wait);
        }
    }

    /// Blocks until the job sends something.
    ///
    /// # Cancellation
    /// A checkpoint if the caller may abandon its job. Otherwise it goes on waiting.
    pub(super) async fn receive(self: &Rc<Self>, run: &Rc<Run>) -> Result<ToCaller, Cancelled> {
        let mut blocked: Option<Blocked> = None;
        poll_fn(|cx| {
            if let Some(blocked) = &blocked {
                return blocked.poll(run, cx);
            }
            if !self.message.borrow().is_empty() {
                return Poll::Ready(Ok(()));
            }
            let waiting = Blocked::new(run, cx, self.clone(), 0);
            self.wait.set(Some(waiting.id()));
            waiting.arm(run);
            blocked = Some(waiting);
            Poll::Pending
        })
        .await?;
        let message = self.message.borrow_mut().pop_front();
        message.map_or_else(|| unreachable!("woken only by message"), Ok)
    }
}

impl Operation for Caller {
    fn abort(&self, _key: u32, cancelled: &Cancelled) -> Aborted {
        let _known = self.job.cancelled.set(cancelled.clone());
        match self.abandons {
            true => {
                self.wait.set(None);
                Aborted::Succeeded
            }
            false => Aborted::Failed,
        }
    }

    fn describe(&self) -> &'static str {
        "waiting for a worker thread"
    }

    fn awaited(&self, _key: u32) -> Awaited {
        let details = format!("its job is `{}`", self.name);
        Awaited { ended_by: EndedBy::Thread, details, ..Awaited::default() }
    }
}
