//! Watched values: tasks wait until a value is what they want.
//!
//! Whoever sets the value calls the predicates of all who wait, and wakes only those whose predicate holds. So a waiter
//! misses no value, even one that is gone before it runs. And a waiter that is not polled for a while keeps no history
//! of values. The price is that a predicate must own what it looks at: it is called from elsewhere, and its task's
//! frame may be gone by then, if the future was forgotten.
//!
//! Predicates, comparisons, clones and destructors are code of the user, which may use the same value. So nothing is
//! borrowed while they run. If a predicate sets the value, that change is told after the one that is being told. So all
//! waiters see all changes in one order.

use crate::{
    Cancelled,
    core::{block::wait_queue::WaitQueue, cancel::checkpoint::TurnAfterSuccess},
    lowlevel::checkpoint_if_cancelled,
};
use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::{BTreeMap, VecDeque},
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    rc::Rc,
};

/// A change of the value.
struct Change<T> {
    value: Rc<T>,
    former: Rc<T>,
}

impl<T> Clone for Change<T> {
    fn clone(&self) -> Self {
        Change { value: self.value.clone(), former: self.former.clone() }
    }
}

/// What a waiter was woken for.
enum Outcome<T> {
    Change(Change<T>),
    /// Its predicate has panicked. The panic goes on in its task, since the predicate is that task's.
    Panicked(Box<dyn Any + Send>),
}

/// Called with the value, and with the one before.
type Predicate<T> = dyn Fn(&T, &T) -> bool;

/// A task that waits for a change.
struct Waiter<T> {
    predicate: Box<Predicate<T>>,
    outcome: Cell<Option<Outcome<T>>>,
    /// The task, if it is blocked.
    blocked: Rc<WaitQueue<()>>,
}

impl<T> Waiter<T> {
    /// Tells it of a change. Returns whether it has what it wants.
    fn tell(&self, change: &Change<T>) -> bool {
        match catch_unwind(AssertUnwindSafe(|| (self.predicate)(&change.value, &change.former))) {
            Ok(false) => return false,
            Ok(true) => self.outcome.set(Some(Outcome::Change(change.clone()))),
            Err(payload) => self.outcome.set(Some(Outcome::Panicked(payload))),
        }
        true
    }
}

/// A change that a waiter has not been told of yet.
struct News<T> {
    waiter: u64,
    change: Change<T>,
}

struct WatchState<T> {
    value: RefCell<Rc<T>>,
    /// How many changes there were.
    version: Cell<u64>,
    /// In the order of arrival.
    waiting: RefCell<BTreeMap<u64, Rc<Waiter<T>>>>,
    next_waiter: Cell<u64>,
    news: RefCell<VecDeque<News<T>>>,
    /// Whether somebody further up the stack is telling the news.
    is_telling: Cell<bool>,
}

impl<T> WatchState<T> {
    fn current(&self) -> Rc<T> {
        self.value.borrow().clone()
    }

    /// Changes the value, and tells all who wait.
    fn change(&self, value: T) {
        let value = Rc::new(value);
        let former = self.value.replace(value.clone());
        self.version.set(self.version.get() + 1);
        let change = Change { value, former };
        let all: Vec<u64> = self.waiting.borrow().keys().copied().collect();
        self.tell(&change, all);
    }

    /// Tells some who wait of a change. If a predicate that was called from here has called this, they are told after
    /// that predicate has returned.
    fn tell(&self, change: &Change<T>, waiters: impl IntoIterator<Item = u64>) {
        self.news
            .borrow_mut()
            .extend(waiters.into_iter().map(|waiter| News { waiter, change: change.clone() }));
        if self.is_telling.replace(true) {
            return;
        }
        let _told = OnDrop(|| self.is_telling.set(false));
        loop {
            let next = self.news.borrow_mut().pop_front();
            let Some(News { waiter: id, change }) = next else { break };
            let waiter = self.waiting.borrow().get(&id).cloned();
            let Some(waiter) = waiter else { continue };
            if waiter.tell(&change) {
                let told = self.waiting.borrow_mut().remove(&id);
                drop(told);
                waiter.blocked.unpark_one(|()| ());
            }
        }
    }

    /// Adds a waiter for a change that `predicate` holds for.
    fn add_waiter(&self, predicate: impl Fn(&T, &T) -> bool + 'static) -> Waiting<'_, T> {
        let id = self.next_waiter.replace(self.next_waiter.get() + 1);
        let waiter = Rc::new(Waiter {
            predicate: Box::new(predicate),
            outcome: Cell::new(None),
            blocked: WaitQueue::new("waiting for a watched value"),
        });
        self.waiting.borrow_mut().insert(id, waiter.clone());
        Waiting { state: self, id, waiter }
    }
}

/// Calls a function at the end of a block, even by a panic.
struct OnDrop<F: FnMut()>(F);

impl<F: FnMut()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A waiter among the others. Dropping this takes it out.
struct Waiting<'a, T> {
    state: &'a WatchState<T>,
    id: u64,
    waiter: Rc<Waiter<T>>,
}

impl<T> Waiting<'_, T> {
    /// The change, if it has come.
    fn change_nowait(&self) -> Option<Change<T>> {
        match self.waiter.outcome.take()? {
            Outcome::Change(change) => Some(change),
            Outcome::Panicked(payload) => resume_unwind(payload),
        }
    }

    /// Waits for the change.
    async fn change(&self) -> Result<Change<T>, Cancelled> {
        loop {
            self.waiter.blocked.park(()).await.1?;
            if let Some(change) = self.change_nowait() {
                return Ok(change);
            }
        }
    }
}

impl<T> Drop for Waiting<'_, T> {
    fn drop(&mut self) {
        let left = self.state.waiting.borrow_mut().remove(&self.id);
        // Nothing is borrowed here, since what the predicate owns is dropped with it.
        drop(left);
    }
}

/// A value that tasks can watch; `AsyncValue` of trio-util. It also does what tokio's `watch` is for. Clones are the
/// same value.
///
/// Anybody may set it, and anybody may wait. It has no ends: a waiter that is not needed any more is cancelled with its
/// scope. To tell the waiters that no more values will come, make that a value, by an `Option` or an enum.
///
/// A predicate is called by whoever sets the value, so it should be quick, and it owns what it looks at. If it panics,
/// the panic goes on in the task that waits.
///
/// ```
/// use terzetto::{nursery, sync::Watch, testing::wait_all_tasks_blocked};
/// terzetto::run(async {
///     let connections = Watch::new(0);
///     nursery(async |n| {
///         n.start_soon(async {
///             let many = connections.wait_value(|&count| count >= 2).await?;
///             assert_eq!(many, 2);
///             Ok(())
///         });
///         wait_all_tasks_blocked(0.0).await?;
///         connections.set(1);
///         connections.set(2);
///         connections.set(0); // too late to be missed
///         Ok(())
///     }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
pub struct Watch<T> {
    state: Rc<WatchState<T>>,
}

impl<T> Clone for Watch<T> {
    fn clone(&self) -> Self {
        Watch { state: self.state.clone() }
    }
}

impl<T: 'static> Watch<T> {
    /// A value to watch.
    pub fn new(value: T) -> Watch<T> {
        Watch {
            state: Rc::new(WatchState {
                value: RefCell::new(Rc::new(value)),
                version: Cell::new(0),
                waiting: RefCell::default(),
                next_waiter: Cell::new(0),
                news: RefCell::default(),
                is_telling: Cell::new(false),
            }),
        }
    }

    /// How many tasks wait.
    pub fn tasks_waiting(&self) -> usize {
        self.state.waiting.borrow().len()
    }

    /// Sets the value, and wakes those who wait for it. A value that equals the present one changes nothing, as in
    /// trio-util.
    ///
    /// Predicates are called before this returns. If it is called from within a predicate, those calls are made after
    /// that predicate has returned.
    pub fn set(&self, value: T)
    where
        T: PartialEq,
    {
        let current = self.state.current();
        if *current != value {
            self.state.change(value);
        }
    }
}

impl<T: Clone + 'static> Watch<T> {
    /// The value.
    pub fn get(&self) -> T {
        let current = self.state.current();
        (*current).clone()
    }

    /// Waits until `predicate` holds for the value, and returns that value. It may hold already. It may hold no more
    /// when this returns, since the value may have changed again.
    ///
    /// # Cancellation
    /// A checkpoint. Nothing is lost: the value stays where it is.
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled scope.
    ///
    /// # Panics
    /// If `predicate` does.
    pub async fn wait_value(&self, predicate: impl Fn(&T) -> bool + 'static) -> Result<T, Cancelled> {
        checkpoint_if_cancelled().await?;
        let waiting = self.state.add_waiter(move |value, _| predicate(value));
        let current = self.state.current();
        // As if the value had just been set to what it is.
        let change = Change { value: current.clone(), former: current };
        self.state.tell(&change, [waiting.id]);
        drop(change);
        let change = match waiting.change_nowait() {
            Some(change) => {
                TurnAfterSuccess::default().await;
                change
            }
            None => waiting.change().await?,
        };
        Ok(Rc::unwrap_or_clone(change.value))
    }

    /// Waits for a change that `predicate` holds for. It is called with the new value and with the one before. Returns
    /// both. Only changes that come after the call count.
    ///
    /// ```
    /// use terzetto::{nursery, sync::Watch, testing::wait_all_tasks_blocked};
    /// # terzetto::run(async {
    /// let level = Watch::new(7);
    /// nursery(async |n| {
    ///     n.start_soon(async {
    ///         assert_eq!(level.wait_transition(|new, old| new < old).await?, (3, 9));
    ///         Ok(())
    ///     });
    ///     wait_all_tasks_blocked(0.0).await?;
    ///     level.set(9);
    ///     level.set(3);
    ///     Ok(())
    /// }).await
    /// # }).unwrap();
    /// ```
    ///
    /// # Cancellation
    /// A checkpoint. A change that comes between two calls is not seen. To see each one, use a
    /// [`broadcast`](crate::sync::broadcast()) channel.
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled scope.
    ///
    /// # Panics
    /// If `predicate` does.
    pub async fn wait_transition(
        &self,
        predicate: impl Fn(&T, &T) -> bool + 'static,
    ) -> Result<(T, T), Cancelled> {
        checkpoint_if_cancelled().await?;
        let Change { value, former } = self.state.add_waiter(predicate).change().await?;
        Ok((Rc::unwrap_or_clone(value), Rc::unwrap_or_clone(former)))
    }

    /// The value as it is now, and then as it is after each change, for a loop; `eventual_values` of trio-util.
    pub fn eventual_values(&self) -> EventualValues<T> {
        EventualValues { watch: self.clone(), seen: None }
    }
}

impl<T: fmt::Debug> fmt::Debug for Watch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let current = self.state.current();
        f.debug_tuple("Watch").field(&current).finish()
    }
}

/// The values of a [`Watch`], one after the other; made by [`Watch::eventual_values`].
///
/// If the value changes several times between two calls of [`next`](EventualValues::next), only the last one is seen.
/// So a slow loop skips values, and always comes to the latest.
///
/// ```
/// use terzetto::{nursery, sleep, sync::Watch};
/// # terzetto::Builder::new().clock(terzetto::testing::MockClock::autojump()).run(async {
/// let title = Watch::new("untitled");
/// nursery(async |n| {
///     n.start_soon(async {
///         let mut titles = title.eventual_values();
///         assert_eq!(titles.next().await?, "untitled");
///         assert_eq!(titles.next().await?, "final");
///         Ok(())
///     });
///     sleep(1.0).await?;
///     title.set("draft");
///     title.set("final");
///     Ok(())
/// }).await
/// # }).unwrap();
/// ```
pub struct EventualValues<T> {
    watch: Watch<T>,
    /// The version that was returned last.
    seen: Option<u64>,
}

impl<T: Clone + 'static> EventualValues<T> {
    /// The value, once it is another than that of the last call. The first call returns the value as it is.
    ///
    /// # Cancellation
    /// A checkpoint. If it is cancelled, or if the future is dropped, the next call returns what this one would have.
    ///
    /// # Errors
    /// [`Cancelled`] in a cancelled scope.
    pub async fn next(&mut self) -> Result<T, Cancelled> {
        let state = &self.watch.state;
        checkpoint_if_cancelled().await?;
        if self.seen == Some(state.version.get()) {
            state.add_waiter(|_, _| true).change().await?;
        } else {
            TurnAfterSuccess::default().await;
        }
        self.seen = Some(state.version.get());
        Ok(self.watch.get())
    }
}

impl<T: fmt::Debug> fmt::Debug for EventualValues<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventualValues").field("watch", &self.watch).field("seen", &self.seen).finish()
    }
}
