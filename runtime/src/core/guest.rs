//! Guest mode: a run whose loop is turned by the loop of somebody else.
//!
//! A graphical toolkit or another runtime has a loop of its own that must not block, and so has a run.
//! In guest mode the run is cut into ticks. The host's loop calls one when asked to; where an
//! ordinary run would sleep, a thread of its own waits for the operating system's events instead
//! (without touching the run: it only polls the reactor's descriptor), and then asks the host for
//! the next tick. So both loops live on one thread, and neither waits for the other. trio's
//! `start_guest_run`.

use super::{
    drive::Drive,
    inbox::Inbox,
    outside::Sleep,
    run::{Run, set_current},
};
use crate::{Builder, CancelReason, CancelSource, Error, RunError};
use std::{
    cell::{Cell, RefCell},
    fmt,
    mem::ManuallyDrop,
    os::fd::OwnedFd,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::{Rc, Weak},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc,
    },
    thread::{self, ThreadId},
};

/// Guests by their numbers.
type Guests = Vec<(u64, Weak<dyn Tick>)>;

thread_local! {
    /// The guests of this thread that are not over. Never destroyed, and empty in the end, as the list of runs is.
    static GUESTS: RefCell<ManuallyDrop<Guests>> = const { RefCell::new(ManuallyDrop::new(Vec::new())) };
}

/// How a host is asked for a tick: it calls [`GuestTick::run`] on the thread where the guest was
/// started, soon, in its own loop, and not from inside the function that was asked.
#[must_use = "a guest run stands still until its tick is run"]
#[derive(Debug)]
pub struct GuestTick {
    guest: u64,
    home: ThreadId,
}

impl GuestTick {
    /// Runs one tick of the guest. A guest that has ended meanwhile is left alone.
    ///
    /// # Panics
    /// If the guest's main task does, or on another thread than the guest's.
    pub fn run(self) {
        assert!(
            thread::current().id() == self.home,
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

/// Makes a run the thread's current one for a while.
struct Visit(Option<Rc<Run>>);

impl Visit {
    fn begin(run: &Rc<Run>) -> Visit {
        Visit(set_current(Some(run.clone())))
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let left = set_current(self.0.take());
        // With nothing borrowed: what goes with the run may look for it.
        drop(left);
    }
}

/// What the watcher's thread is doing, as far as matters to who ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Watching {
    /// It waits, for events or for the next sleep.
    Waits,
    /// It asks the host for a tick, which may last as long as the host likes.
    Asks,
    /// It is not to ask any more.
    Ends,
}

/// The thread that waits for the system's events while the host's loop turns.
struct Watcher {
    sleeps: Option<mpsc::Sender<f64>>,
    thread: Option<thread::JoinHandle<()>>,
    watching: Arc<Mutex<Watching>>,
}

/// Goes from one state of the watcher to another, unless it is to end. Returns the state before.
fn watch(watching: &Mutex<Watching>, next: Watching) -> Watching {
    let mut now = watching.lock().unwrap_or_else(PoisonError::into_inner);
    let before = *now;
    if before != Watching::Ends {
        *now = next;
    }
    before
}

impl Watcher {
    fn start(ask: impl Fn() + Send + 'static, events: OwnedFd) -> std::io::Result<Watcher> {
        let (sleeps, sleep) = mpsc::channel::<f64>();
        let watching = Arc::new(Mutex::new(Watching::Waits));
        let own = watching.clone();
        let work = move || {
            while let Ok(timeout) = sleep.recv() {
                // Too long for the system is as good as for ever: the next tick asks again.
                let timeout = std::time::Duration::try_from_secs_f64(timeout).ok();
                let timeout = timeout.and_then(|timeout| timeout.try_into().ok());
                let mut fds = [rustix::event::PollFd::new(&events, rustix::event::PollFlags::IN)];
                // An interruption is as good as an event: the tick looks for itself.
                let _looked = rustix::event::poll(&mut fds, timeout.as_ref());
                if watch(&own, Watching::Asks) == Watching::Ends {
                    return;
                }
                ask();
                if watch(&own, Watching::Waits) == Watching::Ends {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("terzetto guest".into()).spawn(work)?;
        Ok(Watcher { sleeps: Some(sleeps), thread: Some(thread), watching })
    }

    fn sleep(&self, timeout: f64) {
        if let Some(sleeps) = &self.sleeps {
            // The thread ends only after the sender is dropped.
            let _sent = sleeps.send(timeout);
        }
    }

    /// Ends the thread, which the bell has to wake if it sleeps. One that is asking the host, which may be waiting for
    /// this very call to return, is left to end by itself.
    fn end(mut self, inbox: &Inbox) {
        self.sleeps = None;
        if watch(&self.watching, Watching::Ends) == Watching::Asks {
            return;
        }
        inbox.ring();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            log::error!("the function that asks a guest run's host for a tick panicked");
        }
    }
}

/// What a tick needs of a guest, whatever its main task returns.
trait Tick {
    fn tick(&self);
    fn cancel(&self);
    fn is_over(&self) -> bool;
    fn abandon(&self);
}

struct Parts<T, F> {
    drive: Drive<T, F>,
    watcher: Watcher,
    /// The sleep from which the next tick awakes.
    sleep: Option<Sleep>,
}

struct Guest<T, F, D> {
    id: u64,
    schedule: Schedule,
    /// None while a tick runs, and when the guest is over.
    parts: RefCell<Option<Parts<T, F>>>,
    run: Rc<Run>,
    done: RefCell<Option<D>>,
    over: Cell<bool>,
    /// Whether its handle is gone.
    abandoned: Cell<bool>,
}

impl<T, F, D> Guest<T, F, D>
where
    F: Future<Output = Result<T, Error>>,
    D: FnOnce(Result<T, Error>),
{
    fn ask_for_tick(&self) {
        (self.schedule)(GuestTick { guest: self.id, home: thread::current().id() });
    }

    /// The guest is over.
    fn forget(&self) {
        GUESTS.with_borrow_mut(|guests| {
            guests.retain(|(id, _)| *id != self.id);
            if guests.is_empty() {
                **guests = Vec::new();
            }
        });
    }

    /// Tells the host what has come of the run.
    fn tell(&self, outcome: Result<T, Error>) {
        self.over.set(true);
        self.forget();
        let done = self.done.borrow_mut().take();
        if let Some(done) = done {
            done(outcome);
        }
    }

    fn turn(&self, mut parts: Parts<T, F>) -> Option<Result<T, Error>> {
        let run = &self.run;
        if let Some(plan) = parts.sleep.take() {
            run.inbox.awake();
            // A signal may have come in the tick itself: the clock must not jump over it.
            let mail = run.inbox.has_mail();
            let heard = run.look_at_events(0.0);
            run.wake_up(&plan, heard || mail);
            if mail {
                run.take_signals();
            }
        }
        run.look_without_sleep();
        parts.drive.tick();
        if parts.drive.is_over() {
            parts.watcher.end(&run.inbox);
            return Some(parts.drive.finish());
        }
        let plan = run.plan_sleep();
        let sleeps = !run.has_work() && plan.timeout > 0.0 && run.inbox.try_sleep();
        if sleeps {
            parts.watcher.sleep(plan.timeout);
        }
        // Having nothing to do and no time to wait is a sleep, too, as short as it may be.
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
        // If it panics there will be no more.
        self.over.set(true);
        let visit = Visit::begin(&self.run);
        let turned = catch_unwind(AssertUnwindSafe(|| self.turn(parts)));
        drop(visit);
        let outcome = turned.unwrap_or_else(|payload| {
            self.forget();
            resume_unwind(payload)
        });
        match outcome {
            Some(outcome) => self.tell(outcome),
            // The guest has dropped its own handle in this tick.
            None if self.abandoned.get() => self.abandon(),
            None => self.over.set(false),
        }
    }

    fn cancel(&self) {
        let visit = Visit::begin(&self.run);
        let reason = CancelReason::with_text(CancelSource::Explicit, "the host has cancelled its guest");
        self.run.main_scope.cancel(reason);
        drop(visit);
        // If it sleeps it has to hear of it; if not, a tick is on its way.
        self.run.inbox.ring_if_asleep();
    }

    fn is_over(&self) -> bool {
        self.over.get()
    }

    fn abandon(&self) {
        self.abandoned.set(true);
        // In the middle of a tick there are none here: its end comes back to this.
        let parts = self.parts.borrow_mut().take();
        let Some(Parts { drive, watcher, .. }) = parts else { return };
        log::warn!("the host of a guest run ended before it; the run's tasks are dropped where they are");
        let visit = Visit::begin(&self.run);
        watcher.end(&self.run.inbox);
        drop(drive);
        drop(visit);
        self.tell(Err(RunError::Abandoned.into()));
    }
}

/// A run in guest mode, for its host to hold; made by [`Builder::start_guest`].
///
/// Dropped before the run is over, it drops the run's tasks where they are, and the run ends with
/// [`RunError::Abandoned`]. The guest's own code may drop it, too: that takes effect at the end of the tick.
#[must_use = "dropping it abandons the run"]
pub struct GuestRun(Rc<dyn Tick>);

impl GuestRun {
    /// Cancels the main task, which ends in its own time. If nothing in it fails otherwise, the run
    /// ends with the cancellation as its error.
    pub fn cancel(&self) {
        self.0.cancel();
    }

    /// Whether the run is over: `done` has been called.
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

impl Builder {
    /// Starts a run that is turned by the loop of a host; trio's `start_guest_run`.
    ///
    /// Whenever the run has something to do, `schedule` is called, from this thread or another: it has
    /// to make the host's loop call [`GuestTick::run`], soon, on this thread. When the run is over,
    /// `done` is called with its outcome, in the last tick. Between ticks no run is current. Handles of the guest's
    /// that the host holds work all the same (a scope is cancelled, an event set, a value sent); all else that it wants
    /// of the guest goes through its [`Token`](crate::Token), by calls that do not block:
    /// [`Token::run_sync_soon`](crate::Token::run_sync_soon).
    ///
    /// # Errors
    /// A [`RunError`] if the run could not start.
    ///
    /// ```
    /// use std::{cell::RefCell, rc::Rc, sync::mpsc};
    /// use terzetto::{Builder, GuestTick, sleep};
    ///
    /// // A host: a loop that runs what it is sent.
    /// let (send, ticks) = mpsc::channel::<GuestTick>();
    /// let outcome = Rc::new(RefCell::new(None));
    /// let result = outcome.clone();
    /// let guest = Builder::new().start_guest(
    ///     async { sleep(0.01).await?; Ok("guest") },
    ///     move |tick| drop(send.send(tick)),
    ///     move |end| *result.borrow_mut() = Some(end),
    /// )?;
    /// while !guest.is_over() {
    ///     ticks.recv()?.run();
    /// }
    /// assert_eq!(outcome.take().unwrap()?, "guest");
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn start_guest<T, F>(
        self,
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
        let drive = Drive::start(self, Box::pin(main))?;
        drive.run.guest.set(true);
        let run = drive.run.clone();
        let events = run.reactor.descriptor().map_err(RunError::Reactor)?;
        let (home, ask) = (thread::current().id(), schedule.clone());
        let ask = move || ask(GuestTick { guest: id, home });
        let watcher = Watcher::start(ask, events).map_err(RunError::Reactor)?;
        let guest = Rc::new(Guest {
            id,
            schedule,
            parts: Some(Parts { drive, watcher, sleep: None }).into(),
            run,
            done: Some(done).into(),
            over: Cell::new(false),
            abandoned: Cell::new(false),
        });
        // From here on no run is current between ticks.
        drop(set_current(None));
        let tick: Rc<dyn Tick> = guest.clone();
        GUESTS.with_borrow_mut(|guests| guests.push((id, Rc::downgrade(&tick))));
        guest.ask_for_tick();
        Ok(GuestRun(tick))
    }
}
