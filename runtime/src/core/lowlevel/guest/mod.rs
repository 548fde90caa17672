//! Guest mode: the loop of another library turns our run.
//!
//! A graphical toolkit or another runtime has a loop of its own, which must not block. A run has such a loop too. In
//! guest mode the run is cut into ticks. The host is that other loop. It runs one tick when it is asked to. Where an
//! ordinary run would sleep, a watcher thread waits for the operating system's events instead. It does not touch the
//! run, and only polls the reactor's descriptor. Then it asks the host for the next tick. So both loops live on one
//! thread, and neither waits for the other. trio's `start_guest_run`.

mod watcher;

use crate::{
    CancelReason, CancelSource, Error, RunError,
    core::run::{
        Run,
        run_loop::{RunLoop, RunOptions},
        set_current,
        sleep::SleepPlan,
    },
    lowlevel::{RunFinished, Token},
};
use std::{
    cell::{Cell, RefCell},
    fmt,
    mem::ManuallyDrop,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::{Rc, Weak},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::{self, ThreadId},
};
use watcher::Watcher;

/// Guests and their numbers.
type Guests = Vec<(u64, Weak<dyn Tick>)>;

thread_local! {
    /// The guests of this thread that are not over. Like the list of runs, it is never destroyed, and it is empty in
    /// the end.
    static GUESTS: RefCell<ManuallyDrop<Guests>> = const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// A request for a tick. The host calls [`GuestTick::run`] soon, in its own loop, on the thread where the guest was
/// started. The host must not call it from inside the function that was given the request.
#[must_use = "a guest run stands still until its tick is run"]
#[derive(Debug)]
pub struct GuestTick {
    guest: u64,
    thread_id: ThreadId,
}

impl GuestTick {
    /// Runs one tick of the guest. Does nothing if the guest has ended meanwhile.
    ///
    /// # Panics
    /// If the guest's main task panics. On another thread than the guest's.
    pub fn run(self) {
        assert!(
            thread::current().id() == self.thread_id,
            "the tick of a guest run must be run on the thread on which the guest was started"
        );
        let guest = GUESTS.with_borrow(|guests| {
            let (_, guest) = guests.iter().find(|(id, _)| *id == self.guest)?;
            guest.upgrade()
        });
        if let Some(guest) = guest {
            guest.tick();
        }
    }
}

type Schedule = Arc<dyn Fn(GuestTick) + Send + Sync>;

/// Makes a run the thread's current one for as long as this lives.
struct Visit(Option<Rc<Run>>);

impl Visit {
    fn begin(run: &Rc<Run>) -> Visit {
        Visit(set_current(Some(run.clone())))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let left = set_current(self.0.take());
        // What is dropped with the run may look for the current run, so nothing is borrowed here.
        drop(left);
    }
}

/// The operations on a guest that do not depend on the type of its result.
trait Tick {
    fn tick(&self);
    fn cancel(&self);
    fn is_over(&self) -> bool;
    fn abandon(&self);
    fn guest(&self) -> &Rc<Run>;
}

struct Parts<T, F> {
    run_loop: RunLoop<T, F>,
    watcher: Watcher,
    /// The sleep that the next tick ends.
    sleep: Option<SleepPlan>,
    /// Whether the watcher sleeps it, and instruments have been told so.
    watched: bool,
}

struct Guest<T, F, D> {
    id: u64,
    schedule: Schedule,
    /// `None` while a tick runs, and when the guest is over.
    parts: RefCell<Option<Parts<T, F>>>,
    run: Rc<Run>,
    done: RefCell<Option<D>>,
    over: Cell<bool>,
    /// Whether the guest's handle was dropped.
    abandoned: Cell<bool>,
}

impl<T, F, D> Guest<T, F, D>
where
    F: Future<Output = Result<T, Error>>,
    D: FnOnce(Result<T, Error>),
{
    fn ask_for_tick(&self) {
        (self.schedule)(GuestTick { guest: self.id, thread_id: thread::current().id() });
    }

    /// Removes the guest from the list of guests, since it is over.
    fn unregister(&self) {
        GUESTS.with_borrow_mut(|guests| {
            guests.retain(|(id, _)| *id != self.id);
            if guests.is_empty() {
                **guests = Vec::new();
            }
        });
    }

    /// Tells the host the outcome of the run.
    fn tell(&self, outcome: Result<T, Error>) {
        self.over.set(true);
        self.unregister();
        let done = self.done.borrow_mut().take();
        if let Some(done) = done {
            done(outcome);
        }
    }

    fn turn(&self, mut parts: Parts<T, F>) -> Option<Result<T, Error>> {
        let run = &self.run;
        if let Some(plan) = parts.sleep.take() {
            run.inbox.awake();
            // A signal may have come during the tick. The clock must not jump over it.
            let has_messages = run.inbox.has_messages();
            let heard = match parts.watched {
                true => run.wait_for_events(0.0),
                false => run.look_at_events(0.0),
            };
            if parts.watched {
                run.instruments.tell(|instrument| instrument.after_io_wait(plan.timeout));
            }
            run.wake_up(&plan, heard || has_messages);
            if has_messages {
                run.take_signals();
            }
        }
        run.do_without_sleep();
        parts.run_loop.tick();
        if parts.run_loop.is_over() {
            parts.watcher.end(&run.inbox);
            return Some(parts.run_loop.finish());
        }
        let plan = run.plan_sleep();
        let sleeps = !run.has_work() && plan.timeout > 0.0 && run.inbox.try_sleep();
        if sleeps {
            run.instruments.tell(|instrument| instrument.before_io_wait(plan.timeout));
            // What a hook has woken does not wait.
            parts.watcher.sleep(if run.has_work() { 0.0 } else { plan.timeout });
        }
        parts.watched = sleeps;
        // If there is no work and no time to wait, that counts as a sleep too, however short.
        parts.sleep = (sleeps || !run.has_work()).then_some(plan);
        *self.parts.borrow_mut() = Some(parts);
        if !sleeps {
            self.ask_for_tick();
        }
        None
    }
}

impl<T, F, D> Tick for Guest<T, F, D>
where
    F: Future<Output = Result<T, Error>>,
    D: FnOnce(Result<T, Error>),
{
    fn tick(&self) {
        let parts = self.parts.borrow_mut().take();
        let Some(parts) = parts else { return };
        let visit = Visit::begin(&self.run);
        let turned = catch_unwind(AssertUnwindSafe(|| self.turn(parts)));
        drop(visit);
        let outcome = turned.unwrap_or_else(|payload| {
            // There will be no more.
            self.over.set(true);
            self.unregister();
            resume_unwind(payload)
        });
        match outcome {
            Some(outcome) => self.tell(outcome),
            // In this tick the guest has dropped its own handle.
            None if self.abandoned.get() => self.abandon(),
            None => {}
        }
    }

    fn cancel(&self) {
        let visit = Visit::begin(&self.run);
        let reason = CancelReason::with_text(CancelSource::Explicit, "the host has cancelled its guest");
        self.run.main_scope.cancel(reason);
        drop(visit);
        // If the guest sleeps, it must wake up for this. If not, a tick is on its way.
        self.run.inbox.wake_loop_if_asleep();
    }

    fn is_over(&self) -> bool {
        self.over.get()
    }

    fn guest(&self) -> &Rc<Run> {
        &self.run
    }

    fn abandon(&self) {
        self.abandoned.set(true);
        // During a tick there are no parts here. The end of the tick calls this function again.
        let parts = self.parts.borrow_mut().take();
        let Some(Parts { run_loop, watcher, .. }) = parts else { return };
        log::warn!("the host of a guest run ended before it; the run's tasks are dropped where they are");
        let visit = Visit::begin(&self.run);
        watcher.end(&self.run.inbox);
        drop(run_loop);
        drop(visit);
        self.tell(Err(RunError::Abandoned.into()));
    }
}

/// A guest run, as its host holds it. [`Builder::start_guest`](crate::Builder::start_guest) makes it.
///
/// If it is dropped before the run is over, the run's tasks are dropped where they are, and the run ends with
/// [`RunError::Abandoned`]. The guest's own code may drop it, too. That takes effect at the end of the tick.
#[must_use = "dropping it abandons the run"]
pub struct GuestRun(Rc<dyn Tick>);

impl GuestRun {
    /// Cancels the main task, which ends in its own time. If nothing in the main task fails otherwise, the run
    /// returns the cancellation as its error.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// The run's token, from the start on.
    pub fn token(&self) -> Token {
        Token::of(&self.0.guest().inbox)
    }

    /// Calls `f` as code of the run: `f` may call what works only inside a run (it may start a system task, add an
    /// instrument, ask for the time), but belongs to no task. So a host can prepare its guest before the main task has
    /// begun, and look at it later. Between two ticks no run is current otherwise.
    ///
    /// # Errors
    /// If the run has ended. Then `f` is not called.
    ///
    /// ```
    /// use std::sync::mpsc;
    /// use terzetto::{Builder, checkpoint, lowlevel::{GuestTick, spawn_system_task}};
    /// let (send, ticks) = mpsc::channel::<GuestTick>();
    /// let main = async { Ok(checkpoint().await?) };
    /// let guest = Builder::new().start_guest(main, move |tick| drop(send.send(tick)), |_end| ())?;
    /// guest.enter(|| spawn_system_task("heartbeat", async { Ok(terzetto::sleep_forever().await?) }))??;
    /// while !guest.is_over() {
    ///     ticks.recv()?.run();
    /// }
    /// assert!(guest.enter(terzetto::current_time).is_err());
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn enter<R>(&self, f: impl FnOnce() -> R) -> Result<R, RunFinished> {
        let run = self.0.guest();
        if run.inbox.is_closed() {
            return Err(RunFinished);
        }
        let visit = Visit::begin(run);
        let result = f();
        drop(visit);
        // `f` may have left something to do.
        run.inbox.wake_loop_if_asleep();
        Ok(result)
    }

    /// Whether the run is over, and `done` has been called.
    pub fn is_over(&self) -> bool {
        self.0.is_over()
    }
}

impl fmt::Debug for GuestRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuestRun").field("is_over", &self.is_over()).finish()
    }
}

impl Drop for GuestRun {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

/// Starts a guest run; see [`Builder::start_guest`](crate::Builder::start_guest).
pub(crate) fn start_guest<T, F>(
    options: RunOptions,
    main: F,
    schedule: impl Fn(GuestTick) + Send + Sync + 'static,
    done: impl FnOnce(Result<T, Error>) + 'static,
) -> Result<GuestRun, Error>
where
    T: 'static,
    F: Future<Output = Result<T, Error>> + 'static,
{
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let id = NEXT.fetch_add(1, Relaxed);
    let schedule: Schedule = Arc::new(schedule);
    let run_loop = RunLoop::start(options, Box::pin(main))?;
    run_loop.run.guest.set(true);
    let run = run_loop.run.clone();
    let events = run.reactor.descriptor().map_err(RunError::Reactor)?;
    let (thread_id, ask) = (thread::current().id(), schedule.clone());
    let ask = move || ask(GuestTick { guest: id, thread_id });
    let watcher = Watcher::start(ask, events).map_err(RunError::Reactor)?;
    let guest = Rc::new(Guest {
        id,
        schedule,
        parts: Some(Parts { run_loop, watcher, sleep: None, watched: false }).into(),
        run,
        done: Some(done).into(),
        over: Cell::new(false),
        abandoned: Cell::new(false),
    });
    // From here on the thread has no current run between two ticks.
    drop(set_current(None));
    let tick: Rc<dyn Tick> = guest.clone();
    GUESTS.with_borrow_mut(|guests| guests.push((id, Rc::downgrade(&tick))));
    guest.ask_for_tick();
    Ok(GuestRun(tick))
}
