//! What the loop knows of the jobs that run in its threads.

use crate::{
    CancelReason, CancelSource, Cancelled,
    core::{
        block::{awaited::EndedBy, wait_queue::WaitQueue},
        run,
        run::{
            Run,
            extensions::Extension,
            inbox::{Message, Notice},
        },
    },
    error::failure::FirstPanic,
    lowlevel::spawn_system_task,
    sync::CapacityLimiter,
    threads::{
        job,
        job::Work,
        job_log::{JobLog, JobNotes},
        simulated::{JobDuration, Turn, start_simulated},
        waiting_task::{Caller, LoopCall, ToCaller},
        workers::Workers,
    },
};
use slab::Slab;
use std::{
    any::Any,
    cell::{OnceCell, RefCell},
    io,
    rc::Rc,
    sync::Arc,
};

/// How many jobs run at once, unless another limiter is given. It is trio's number. Jobs that wait for the system are
/// cheap, so the limit only prevents thousands of them.
const DEFAULT_TOKENS: usize = 40;

/// The message that brings a call to the loop, and there to the task that waits for this job.
pub(super) fn deliver(key: Option<usize>, loop_call: LoopCall) -> Message {
    Message::Call(Box::new(move || {
        if let Some(run) = run::try_with(Rc::clone) {
            Threads::of(&run).loop_call(&run, key, loop_call);
        }
    }))
}

struct JobEntry {
    /// The token of a limiter. It is held until the thread is done.
    loan: Option<Box<dyn Any>>,
    /// `None` before the job is started, and after it is abandoned.
    caller: Option<Rc<Caller>>,
}

/// The threads of a run, and the jobs that run in them.
pub(crate) struct Threads {
    pub(super) workers: Workers,
    jobs: RefCell<Slab<JobEntry>>,
    default_limiter: OnceCell<CapacityLimiter>,
    all_done: Rc<WaitQueue<()>>,
    /// How long each job takes, in a test that runs the jobs on the run's clock.
    simulated: OnceCell<JobDuration>,
    /// What the threads do, once somebody wants to know.
    log: OnceCell<Arc<JobLog>>,
}

impl Extension for Threads {
    /// Idle workers leave; what is still running is left alone.
    fn run_ends(&self) {
        self.workers.close(self.active());
    }

    fn may_wake(&self) -> Option<&'static str> {
        (self.active() > 0).then_some("a worker thread has a job")
    }
}

/// A thread is done with its job.
impl Notice for job::JobShared {
    fn heard(&self) {
        run::with(|run| Threads::of(run).job_done(run, self.key));
    }
}

impl Threads {
    /// Those of a run.
    pub(crate) fn of(run: &Run) -> Rc<Threads> {
        run.extensions.get(|| Threads::new(run.thread_stack_size))
    }

    fn new(stack_size: Option<usize>) -> Threads {
        Threads {
            workers: Workers::new(stack_size),
            jobs: RefCell::default(),
            default_limiter: OnceCell::new(),
            all_done: WaitQueue::ended_by("waiting for all worker threads to be done", EndedBy::Thread),
            simulated: OnceCell::new(),
            log: OnceCell::new(),
        }
    }

    pub(super) fn default_limiter(&self) -> &CapacityLimiter {
        self.default_limiter.get_or_init(|| CapacityLimiter::new(DEFAULT_TOKENS))
    }

    /// Runs the jobs from now on one at a time, each after so many seconds of the run's clock.
    pub(crate) fn simulate(&self, duration: JobDuration) {
        let _known = self.simulated.set(duration);
    }

    /// What stands for the thread of a new job, in a test that runs the jobs on the run's clock.
    pub(super) fn turn(&self) -> Option<Arc<Turn>> {
        self.simulated.get().map(|_| Arc::default())
    }

    /// Gives a job to a worker.
    pub(super) fn start(self: &Rc<Self>, job: Arc<dyn Work>, turn: Option<Arc<Turn>>) -> io::Result<()> {
        match (self.simulated.get(), turn) {
            (Some(duration), Some(turn)) => {
                start_simulated(self.clone(), job, turn, duration());
                Ok(())
            }
            _ => self.workers.start(job),
        }
    }

    /// The log of what the threads do from now on. It keeps so many jobs, or all.
    #[cfg(feature = "observe")]
    pub(crate) fn log(&self, keeps: Option<usize>) -> Arc<JobLog> {
        let log = self.log.get_or_init(|| Arc::new(JobLog::new(keeps)));
        log.keep(keeps);
        log.clone()
    }

    /// Where a new job of the current task notes what it does.
    pub(super) fn notes(&self, run: &Run) -> Option<JobNotes> {
        let log = self.log.get()?.clone();
        Some(JobNotes { log, task: run.tree.current_task().map(|task| task.id()) })
    }

    /// How many jobs have not ended.
    pub(super) fn active(&self) -> usize {
        self.jobs.borrow().len()
    }

    pub(super) fn all_done(&self) -> &Rc<WaitQueue<()>> {
        &self.all_done
    }

    /// Enters a job; returns its number.
    pub(super) fn enter(&self, loan: Box<dyn Any>) -> usize {
        self.jobs.borrow_mut().insert(JobEntry { loan: Some(loan), caller: None })
    }

    /// The job is started: its messages go to this caller.
    pub(super) fn set_caller(&self, caller: Rc<Caller>) {
        if let Some(entry) = self.jobs.borrow_mut().get_mut(caller.job.key) {
            entry.caller = Some(caller);
        }
    }

    /// A caller does not wait for its job any more. If the job is done, another job may have its number by now.
    pub(super) fn abandon(&self, caller: &Rc<Caller>) {
        let own =
            |entry: &&mut JobEntry| entry.caller.as_ref().is_some_and(|other| Rc::ptr_eq(other, caller));
        let entry = self.jobs.borrow_mut().get_mut(caller.job.key).filter(own).and_then(|e| e.caller.take());
        if let Some(caller) = entry {
            let gone =
                CancelReason::with_text(CancelSource::Explicit, "nobody waits for the thread any more");
            let _known = caller.job.cancelled.set(Cancelled::new(Arc::new(gone)));
        }
        // Some calls were not done. They are sent through the inbox again, since a future may be dropped anywhere.
        for message in caller.message.take() {
            if let ToCaller::LoopCall(loop_call) = message {
                // Refused if the run has ended. The thread notices it, since the call is dropped.
                let _ended = caller.job.inbox.push(deliver(None, loop_call));
            }
        }
    }

    /// The thread is done with a job, or never had it.
    pub(crate) fn job_done(&self, run: &Run, key: usize) {
        let Some(mut entry) = self.jobs.borrow_mut().try_remove(key) else { return };
        // Gives the token back, so that another job may start. A user's own token may panic when it is dropped. The
        // task that waits for the job must continue all the same.
        let mut panics = FirstPanic::default();
        panics.catch(|| drop(entry.loan.take()));
        if let Some(caller) = entry.caller.take() {
            caller.deliver(run, ToCaller::Done);
        }
        if self.active() == 0 {
            self.all_done.unpark_all(|()| ());
        }
        panics.resume();
    }

    /// Passes a call to the task that waits for a job. If no task waits, or if it may abandon the job, a system task
    /// does the call.
    fn loop_call(&self, run: &Run, key: Option<usize>, loop_call: LoopCall) {
        let caller = key.and_then(|key| self.jobs.borrow().get(key)?.caller.clone());
        // A task that may abandon its job at any time might not complete the call. As in trio, it gets no calls.
        match caller.filter(|caller| !caller.abandons) {
            Some(caller) => caller.deliver(run, ToCaller::LoopCall(loop_call)),
            None => {
                // When the run is ending, no task is started any more. A call that needs no task is done all the
                // same. A call that needs one is dropped, and by that the thread notices it.
                if run.inbox.is_ending() && loop_call.is_call {
                    return loop_call.make_call();
                }
                let done = async move {
                    (loop_call.begin)().await;
                    Ok(())
                };
                let _ending = spawn_system_task("a call from a thread", done);
            }
        }
    }
}
