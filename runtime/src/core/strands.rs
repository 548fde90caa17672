//! All strands of a run, and the marks by which a poll finds its way down to them.
//!
//! Here is what happens to a strand between two polls: a waker finds it by its number, it is queued in its
//! [home](super::home) with everything above it, and a tick takes it out again.

use super::{
    home::{Home, Host},
    run,
    scope::ScopeId,
    strand::{Due, Strand},
    table::Table,
    task::{Own, Task},
    wait::polled_in_another_run,
    waker::{self, RunId, StrandId},
    watch::Watches,
};
use std::{
    cell::{Cell, RefCell},
    num::NonZeroU64,
    rc::Rc,
    task::Waker,
};

/// So many homes are kept for the next nurseries.
const SPARE: usize = 128;

/// The strands of a run.
pub(crate) struct Strands {
    run: RunId,
    table: RefCell<Table<Strand>>,
    /// The nursery of the main task and the system tasks, polled by the run loop.
    root: Rc<Home>,
    /// Homes of nurseries that have closed, for the next ones: with room for queue and children, a home is
    /// several allocations.
    spare: RefCell<Vec<Rc<Home>>>,
    /// Whether anything is to be polled in the next tick.
    pub(crate) root_ready: Cell<bool>,
    pub(crate) tick: Cell<u64>,
    pub(crate) current: Cell<Option<StrandId>>,
    /// The task that has ended in the step of which instruments are being told: it has no number any more.
    ended: RefCell<Option<Task>>,
    /// Whether all strands that are being polled, one inside the other, are so only for one nursery below
    /// them: they have nothing else to do when the poll comes back to them.
    pub(crate) straight: Cell<bool>,
    /// How many strands are queued in nurseries that are being polled.
    on_the_way: Cell<usize>,
    pub(crate) watches: Watches,
    /// How many strands were polled since the loop last looked at the system's events.
    polls: Cell<u32>,
    next_task: Cell<NonZeroU64>,
    next_nursery: Cell<u64>,
    order: Option<RefCell<fastrand::Rng>>,
}

impl Strands {
    /// The table of a new run, with its root nursery; `seed` makes the order of batches random.
    pub(crate) fn new(run: RunId, seed: Option<u64>) -> Strands {
        Strands {
            run,
            table: RefCell::default(),
            root: Home::new(),
            spare: RefCell::default(),
            root_ready: Cell::new(false),
            tick: Cell::new(0),
            current: Cell::new(None),
            ended: RefCell::default(),
            straight: Cell::new(true),
            on_the_way: Cell::new(0),
            watches: Watches::default(),
            polls: Cell::new(0),
            next_task: Cell::new(NonZeroU64::MIN),
            next_nursery: Cell::new(0),
            order: seed.map(|seed| RefCell::new(fastrand::Rng::with_seed(seed))),
        }
    }

    pub(crate) fn root(&self) -> &Rc<Home> {
        &self.root
    }

    /// A number for a new task.
    pub(crate) fn number(&self) -> NonZeroU64 {
        let number = self.next_task.get();
        self.next_task.set(number.saturating_add(1));
        number
    }

    /// Takes a strand in, to be polled by a nursery.
    #[inline]
    pub(crate) fn add(&self, strand: Strand, home: Rc<Home>) -> StrandId {
        let mut table = self.table.borrow_mut();
        let id = table.next_key();
        strand.place_in(home, id);
        table.insert(strand)
    }

    /// Takes a strand out, unless that was done before.
    #[inline]
    pub(crate) fn remove(&self, strand: &Strand) {
        let removed = strand.take_id().and_then(|id| self.table.borrow_mut().remove(id));
        drop(removed);
    }

    pub(crate) fn task_of(&self, id: StrandId) -> Option<Task> {
        self.table.borrow().get(id).map(Task::of)
    }

    pub(crate) fn current_task(&self) -> Option<Task> {
        match self.current.get() {
            Some(current) => self.task_of(current),
            None => self.ended.borrow().clone(),
        }
    }

    /// Calls `f` with a task as the current one that has ended in the step that ends now.
    pub(crate) fn with_ended(&self, task: &Task, f: impl FnOnce()) {
        let current = self.current.take();
        let before = self.ended.replace(Some(task.clone()));
        f();
        let own = self.ended.replace(before);
        drop(own);
        self.current.set(current);
    }

    /// Calls `f` with what is known of the current task.
    #[inline]
    pub(crate) fn with_current<R>(&self, f: impl FnOnce(&Own) -> R) -> Option<R> {
        let table = self.table.borrow();
        Some(table.get(self.current.get()?)?.info.with_own(f))
    }

    /// Notes that the current task is where a cancellation would be raised, if anybody wants to know.
    #[inline]
    pub(crate) fn note_cancel_point(&self) {
        self.watches.tell(|| self.current_task());
    }

    /// Opens a nursery, of which a first poll begins at once.
    pub(crate) fn open_nursery(&self, host: &Waker, owner: Task, scope: ScopeId) -> Rc<Home> {
        let serial = self.next_nursery.get();
        self.next_nursery.set(serial + 1);
        let spare = self.spare.borrow_mut().pop();
        // Tasks that have ended may still have a handle, and know where they were.
        let home = spare.filter(|home| Rc::strong_count(home) == 1).unwrap_or_else(Home::new);
        home.open(self.host_of(host), owner, scope, serial);
        home
    }

    pub(crate) fn close_nursery(&self, home: &Rc<Home>) {
        if home.end() {
            self.on_the_way.set(self.on_the_way.get() - home.queued());
        }
        home.clear();
        home.save_memory();
        let mut spare = self.spare.borrow_mut();
        if spare.len() < SPARE {
            spare.push(home.clone());
        }
    }

    fn host_of(&self, waker: &Waker) -> Host {
        match waker::strand_of(waker, self.run) {
            Some(strand) => Host::Strand(strand),
            None => Host::Foreign(waker.clone()),
        }
    }

    /// Queues a strand for the next tick, and every nursery and strand above it. Returns whether the
    /// strand had not been woken since its last poll.
    #[inline]
    pub(crate) fn wake(&self, id: StrandId) -> bool {
        let table = self.table.borrow();
        let Some(strand) = table.get(id) else { return false };
        match strand.due.replace(Due::ForItself) {
            Due::ForItself => return false,
            Due::ForOneBelow | Due::ForSeveralBelow => {}
            Due::No => {
                if let Some(home) = self.push(strand)
                    && !home.told.get()
                {
                    let foreign = self.tell(&table, home);
                    drop(table);
                    foreign.inspect(|waker| self.wake_foreign(waker));
                }
            }
        }
        true
    }

    /// Puts a strand into its home's queue. Returns the home.
    #[inline(always)]
    fn push<'a>(&self, strand: &'a Strand) -> Option<&'a Home> {
        let home = strand.home()?;
        home.push(strand.clone(), self.tick.get());
        if home.is_polled() {
            self.on_the_way.set(self.on_the_way.get() + 1);
        }
        Some(home)
    }

    /// Puts a strand into its home's queue for a nursery below it. Returns the home, unless it stood there already.
    fn push_for_below<'a>(&self, strand: &'a Strand) -> Option<&'a Home> {
        let (due, stands) = match strand.due.get() {
            Due::No => (Due::ForOneBelow, false),
            Due::ForOneBelow | Due::ForSeveralBelow => (Due::ForSeveralBelow, true),
            Due::ForItself => (Due::ForItself, true),
        };
        strand.due.set(due);
        if stands { None } else { self.push(strand) }
    }

    /// Makes sure that a nursery is polled in the next tick, by queueing its host, and all above it. Returns a
    /// waker of somebody else's, if that is where the trail ends, to be woken when nothing is borrowed.
    fn tell<'a>(&self, table: &'a Table<Strand>, mut home: &'a Home) -> Option<Waker> {
        while !home.told.replace(true) {
            let host = match &*home.host.borrow() {
                Host::Loop => {
                    self.root_ready.set(true);
                    return None;
                }
                Host::Strand(host) => *host,
                Host::Foreign(waker) => return Some(waker.clone()),
            };
            home = self.push_for_below(table.get(host)?)?;
        }
        None
    }

    /// Makes sure that a nursery is polled in the next tick.
    pub(crate) fn tell_host(&self, home: &Home) {
        let foreign = self.tell(&self.table.borrow(), home);
        foreign.inspect(|waker| self.wake_foreign(waker));
    }

    /// Calls a waker of something foreign, with nothing borrowed.
    #[cold]
    fn wake_foreign(&self, waker: &Waker) {
        run::with_run(self.run, |run| run.wake_foreign(waker));
    }

    /// Makes sure that every nursery that a task has open is polled in the next tick.
    pub(crate) fn tell_nurseries_of(&self, task: &Task) {
        for home in self.nurseries_of(task) {
            self.tell_host(&home);
        }
    }

    /// The strand that a nursery is polled by, if it is one of ours.
    pub(crate) fn host(&self, home: &Home) -> Option<StrandId> {
        match *home.host.borrow() {
            Host::Strand(host) => Some(host),
            _ => None,
        }
    }

    /// The run is over. Nurseries that something foreign polls are woken: carried into another run, they panic, and do
    /// not wait for ever.
    pub(super) fn end_all(&self) {
        let foreign: Vec<Waker> = {
            let table = self.table.borrow();
            let homes =
                table.iter().filter(|(_, strand)| strand.info.is_body()).filter_map(|(_, body)| body.home());
            let hosts = homes.filter_map(|home| match &*home.host.borrow() {
                Host::Foreign(waker) => Some(waker.clone()),
                _ => None,
            });
            hosts.collect()
        };
        foreign.iter().for_each(|waker| self.wake_foreign(waker));
    }

    fn begin(&self, home: &Home) {
        if home.begin() {
            self.on_the_way.set(self.on_the_way.get() + home.queued());
        }
        self.shuffle(home);
    }

    /// The run loop begins to poll the root nursery.
    pub(crate) fn begin_root(&self) {
        self.root_ready.set(false);
        self.begin(&self.root);
    }

    /// A poll of a nursery begins, by the owner of a waker.
    #[inline(always)]
    pub(crate) fn begin_poll(&self, home: &Home, body: &Strand, host: &Waker) {
        let same = match (&*home.host.borrow(), waker::strand_of(host, self.run)) {
            (Host::Strand(old), Some(new)) => *old == new,
            (Host::Foreign(old), None) => old.will_wake(host),
            _ => false,
        };
        // The number of a task that has ended may be another's.
        if !same || body.info.is_orphaned() {
            self.move_host(home, body, host);
        }
        self.begin(home);
    }

    /// The nursery's future has come to be polled by another, perhaps in another task: its body is a part of that
    /// one from now on.
    #[cold]
    fn move_host(&self, home: &Home, body: &Strand, host: &Waker) {
        if run::try_with(|run| run.id) != Some(self.run) {
            polled_in_another_run();
        }
        let old = home.host.replace(self.host_of(host));
        drop(old);
        if let Some(task) = self.current_task().filter(|task| body.info.body_of().as_ref() != Some(task)) {
            self.move_bodies(body, &task);
        }
    }

    /// Makes a nursery's body, and those of the nurseries that are open inside it, a part of another task.
    fn move_bodies(&self, body: &Strand, task: &Task) {
        let mut todo = vec![body.clone()];
        while let Some(body) = todo.pop() {
            body.info.move_body_to(task.clone());
            let former = body.home().and_then(|home| home.owner.replace(Some(task.clone())));
            // What goes with it may call back: nothing is borrowed.
            drop(former);
            let is_inside = |home: &Rc<Home>| body.id().is_some() && self.host(home) == body.id();
            let table = self.table.borrow();
            let bodies = table.iter().map(|(_, strand)| strand).filter(|strand| strand.info.is_body());
            todo.extend(bodies.filter(|body| body.home().is_some_and(is_inside)).cloned());
        }
    }

    /// A poll of a nursery ends: if strands are left for the next tick, the host is told.
    pub(crate) fn end_poll(&self, home: &Home) {
        let queued = home.save_memory();
        if home.end() {
            self.on_the_way.set(self.on_the_way.get() - queued);
        }
        if queued > 0 {
            self.tell_host(home);
        }
    }

    /// Whether all that is to be polled in the whole run is to be polled by this nursery, which is being
    /// polled now, and nobody above it has anything else to do: see [`in_place`](super::in_place).
    #[inline]
    pub(crate) fn all_is_in(&self, home: &Home) -> bool {
        let queued = home.queued();
        self.straight.get() && queued > 0 && queued == self.on_the_way.get()
    }

    /// Begins the next tick, within the poll of a nursery.
    pub(crate) fn next_tick_in(&self, home: &Home) {
        self.tick.set(self.tick.get() + 1);
        home.save_memory();
        self.shuffle(home);
    }

    /// Puts what is due in this tick into a random order, if the run has a seed.
    #[inline]
    fn shuffle(&self, home: &Home) {
        if let Some(order) = &self.order {
            self.shuffle_by(order, home);
        }
    }

    #[cold]
    fn shuffle_by(&self, order: &RefCell<fastrand::Rng>, home: &Home) {
        home.shuffle(self.tick.get(), &mut order.borrow_mut());
    }

    /// The next strand of a nursery that is due in this tick, and what for.
    #[inline]
    pub(crate) fn next_due(&self, home: &Home) -> Option<(Strand, Due)> {
        let strand = home.pop_due(self.tick.get())?;
        self.on_the_way.set(self.on_the_way.get() - 1);
        self.note_poll();
        let due = strand.due.replace(Due::No);
        Some((strand, due))
    }

    /// Something of the program's was run.
    #[inline]
    pub(crate) fn note_poll(&self) {
        self.polls.set(self.polls.get().saturating_add(1));
    }

    pub(crate) fn polls_since_look(&self) -> u32 {
        self.polls.get()
    }

    pub(crate) fn looked(&self) {
        self.polls.set(0);
    }
}

/// The tree, read off the table. None of this is quick: it is for people who look.
impl Strands {
    /// How many strands were woken and wait for their turn.
    pub(crate) fn runnable(&self) -> usize {
        self.table.borrow().iter().filter(|(_, strand)| strand.due.get() == Due::ForItself).count()
    }

    /// The nurseries that a task has open, outermost first.
    pub(crate) fn nurseries_of(&self, task: &Task) -> Vec<Rc<Home>> {
        let table = self.table.borrow();
        let bodies = table.iter().filter(|(_, strand)| strand.info.body_of().as_ref() == Some(task));
        let mut homes: Vec<Rc<Home>> = bodies.filter_map(|(_, body)| body.home().cloned()).collect();
        homes.sort_unstable_by_key(|home| home.serial.get());
        homes
    }

    /// All tasks that have not ended, oldest first.
    pub(crate) fn all_tasks(&self) -> Vec<Task> {
        let table = self.table.borrow();
        let own = table.iter().filter(|(_, strand)| !strand.info.is_body() && !strand.has_ended());
        let mut tasks: Vec<Task> = own.map(|(_, strand)| Task::of(strand)).collect();
        tasks.sort_unstable_by_key(Task::id);
        tasks
    }

    /// Whether nothing of a task is runnable or being polled, and what it awaits is not the end of a nursery.
    pub(crate) fn rests(&self, task: &Task) -> bool {
        if self.current_task().as_ref() == Some(task) {
            return false;
        }
        let table = self.table.borrow();
        let own = || table.iter().map(|(_, strand)| strand).filter(|strand| Task::of(strand) == *task);
        if own().any(|strand| strand.due.get() == Due::ForItself || strand.is_polled()) {
            return false;
        }
        let serial = |body: &&Strand| body.home().map_or(0, |home| home.serial.get());
        let innermost = own().filter(|strand| strand.info.is_body()).max_by_key(serial);
        innermost.is_none_or(|body| body.is_resting())
    }

    /// The tasks started in a nursery, oldest first.
    pub(crate) fn tasks_in(&self, home: &Rc<Home>) -> Vec<Task> {
        let table = self.table.borrow();
        let inside = table.iter().filter(|(_, strand)| {
            strand.info.body_of().is_none()
                && !strand.has_ended()
                && strand.home().is_some_and(|other| Rc::ptr_eq(other, home))
        });
        let mut tasks: Vec<Task> = inside.map(|(_, strand)| Task::of(strand)).collect();
        tasks.sort_unstable_by_key(Task::id);
        tasks
    }
}
