//! What the loop keeps of the jobs that run in its threads.

use super::{job, workers::Workers};
use crate::{
    CancelReason, CancelSource, Cancelled,
    core::{
        inbox::Message,
        lot::Lot,
        run::{self, Run},
        wait::{Abort, Blocked, Operation, WaitId},
    },
    error::failure::FirstPanic,
    spawn_system_task,
    sync::CapacityLimiter,
};
use slab::Slab;
use std::{
    any::Any,
    cell::{Cell, OnceCell, RefCell},
    collections::VecDeque,
    future::poll_fn,
    pin::Pin,
    rc::Rc,
    sync::Arc,
    task::{Context, Poll, Waker},
};

/// As many jobs run at once unless another limiter is given: jobs that wait for the system are cheap,
/// and the limit only guards against thousands. trio's number.
const DEFAULT_TOKENS: usize = 40;

/// Makes the future that does an errand, on the loop.
pub(super) type Begin = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// Something that a thread asks the loop to do for it.
pub(super) struct Errand {
    /// Makes the future that does it, on the loop.
    pub(super) begin: Begin,
    /// Whether that is done by one poll, as a plain call is, so that it needs no task.
    pub(super) is_call: bool,
}

impl Errand {
    /// Does a plain call without a task.
    fn make_call(self) {
        let done = (self.begin)().as_mut().poll(&mut Context::from_waker(Waker::noop()));
        debug_assert!(done.is_ready(), "a plain call does not wait");
    }
}

/// The message that brings an errand to the loop, and there to the task that waits for this job.
pub(super) fn deliver(key: Option<usize>, errand: Errand) -> Message {
    Message::Call(Box::new(move || {
        if let Some(run) = run::try_with(Rc::clone) {
            run.threads.errand(&run, key, errand);
        }
    }))
}

pub(super) enum Mail {
    Done,
    Errand(Errand),
}

/// The task that waits for a job.
pub(super) struct Host {
    pub(super) job: Arc<job::Shared>,
    abandons: bool,
    mail: RefCell<VecDeque<Mail>>,
    wait: Cell<Option<WaitId>>,
}

impl Host {
    pub(super) fn new(job: Arc<job::Shared>, abandons: bool) -> Rc<Host> {
        Rc::new(Host { job, abandons, mail: RefCell::default(), wait: Cell::new(None) })
    }

    fn deliver(&self, run: &Run, mail: Mail) {
        self.mail.borrow_mut().push_back(mail);
        if let Some(wait) = self.wait.take() {
            run.reschedule(wait);
        }
    }

    /// Blocks until the job sends something.
    ///
    /// # Cancellation
    /// If the host abandons its job, a checkpoint; if not, it goes on waiting.
    pub(super) async fn receive(self: &Rc<Self>, run: &Rc<Run>) -> Result<Mail, Cancelled> {
        let mut blocked: Option<Blocked> = None;
        poll_fn(|cx| {
            if let Some(blocked) = &blocked {
                return blocked.poll(run, cx);
            }
            if !self.mail.borrow().is_empty() {
                return Poll::Ready(Ok(()));
            }
            let waiting = Blocked::new(run, cx, self.clone(), 0);
            self.wait.set(Some(waiting.id()));
            waiting.arm(run);
            blocked = Some(waiting);
            Poll::Pending
        })
        .await?;
        let mail = self.mail.borrow_mut().pop_front();
        mail.map_or_else(|| unreachable!("woken only by mail"), Ok)
    }
}

impl Operation for Host {
    fn abort(&self, _key: u32, cancelled: &Cancelled) -> Abort {
        let _known = self.job.cancelled.set(cancelled.clone());
        match self.abandons {
            true => {
                self.wait.set(None);
                Abort::Succeeded
            }
            false => Abort::Failed,
        }
    }

    fn describe(&self) -> &'static str {
        "waiting for a worker thread"
    }
}

struct Entry {
    /// What is held until the thread is done: the token of a limiter.
    loan: Option<Box<dyn Any>>,
    /// None until the job is started, and once it is abandoned.
    host: Option<Rc<Host>>,
}

/// The threads of a run, and the jobs that run in them.
pub(crate) struct Threads {
    pub(super) workers: Workers,
    jobs: RefCell<Slab<Entry>>,
    default_limiter: OnceCell<CapacityLimiter>,
    all_done: Rc<Lot<()>>,
}

impl Threads {
    pub(crate) fn new(stack_size: Option<usize>) -> Threads {
        Threads {
            workers: Workers::new(stack_size),
            jobs: RefCell::default(),
            default_limiter: OnceCell::new(),
            all_done: Lot::new("waiting for all worker threads to be done"),
        }
    }

    pub(super) fn default_limiter(&self) -> &CapacityLimiter {
        self.default_limiter.get_or_init(|| CapacityLimiter::new(DEFAULT_TOKENS))
    }

    /// How many jobs have not ended.
    pub(super) fn active(&self) -> usize {
        self.jobs.borrow().len()
    }

    pub(super) fn all_done(&self) -> &Rc<Lot<()>> {
        &self.all_done
    }

    /// Enters a job; returns its number.
    pub(super) fn enter(&self, loan: Box<dyn Any>) -> usize {
        self.jobs.borrow_mut().insert(Entry { loan: Some(loan), host: None })
    }

    /// The job is started: its messages go to this host.
    pub(super) fn set_host(&self, host: Rc<Host>) {
        if let Some(entry) = self.jobs.borrow_mut().get_mut(host.job.key) {
            entry.host = Some(host);
        }
    }

    /// A host waits for its job no more. If the job is done, its number may be another's by now.
    pub(super) fn abandon(&self, host: &Rc<Host>) {
        let own = |entry: &&mut Entry| entry.host.as_ref().is_some_and(|other| Rc::ptr_eq(other, host));
        let entry = self.jobs.borrow_mut().get_mut(host.job.key).filter(own).and_then(|e| e.host.take());
        if let Some(host) = entry {
            let gone =
                CancelReason::with_text(CancelSource::Explicit, "nobody waits for the thread any more");
            let _known = host.job.cancelled.set(Cancelled::new(Arc::new(gone)));
        }
        // It has left errands undone. They go round by the inbox once more: a future may be dropped anywhere.
        for mail in host.mail.take() {
            if let Mail::Errand(errand) = mail {
                // Refused if the run has ended: the thread learns it, since the errand is dropped.
                let _ended = host.job.inbox.push(deliver(None, errand));
            }
        }
    }

    /// The thread is done with a job, or never had it.
    pub(crate) fn job_done(&self, run: &Run, key: usize) {
        let Some(mut entry) = self.jobs.borrow_mut().try_remove(key) else { return };
        // Gives the token back: somebody else's job may start. A token of the user's may panic at that; whoever waits
        // for the job must go on all the same.
        let mut panics = FirstPanic::default();
        panics.catch(|| drop(entry.loan.take()));
        if let Some(host) = entry.host.take() {
            host.deliver(run, Mail::Done);
        }
        if self.active() == 0 {
            self.all_done.unpark_all(|()| ());
        }
        panics.resume();
    }

    /// Has an errand done by the task that waits for a job, or, if none does or it may abandon the job, by a
    /// system task.
    fn errand(&self, run: &Run, key: Option<usize>, errand: Errand) {
        let host = key.and_then(|key| self.jobs.borrow().get(key)?.host.clone());
        // One that may abandon its job at any time could leave the errand undone: as in trio, it gets none.
        match host.filter(|host| !host.abandons) {
            Some(host) => host.deliver(run, Mail::Errand(errand)),
            None => {
                // When the run is ending, nothing is started any more. What needs no task is done all the same; of what
                // does, the thread learns it, since the errand is dropped.
                if run.inbox.is_ending() && errand.is_call {
                    return errand.make_call();
                }
                let done = async move {
                    (errand.begin)().await;
                    Ok(())
                };
                let _ending = spawn_system_task("a call from a thread", done);
            }
        }
    }

    /// The run ends: idle workers go home; what is still running is left alone.
    pub(crate) fn close(&self) {
        self.workers.close(self.active());
    }
}
