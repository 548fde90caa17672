//! Capacity limiters: a limited number of borrowers at once, each known to the limiter.

use crate::{
    Cancelled, Task,
    core::{
        block::{
            awaited::{Awaited, Knows, QueueIndex},
            wait_queue::{Park, WaitQueue},
        },
        cancel::checkpoint::TurnAfterSuccess,
    },
    current_task,
    lowlevel::checkpoint_if_cancelled,
    sync::{AcquireError, NotHeld},
};
use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::HashMap,
    fmt,
    hash::{DefaultHasher, Hash, Hasher},
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// A borrower of a token: a task, or any key.
#[derive(Clone)]
pub struct Borrower(Rc<dyn BorrowerKey>);

trait BorrowerKey {
    fn equals(&self, other: &dyn BorrowerKey) -> bool;
    fn hash(&self, state: &mut DefaultHasher);
    fn as_any(&self) -> &dyn Any;
}

impl<K: Hash + Eq + 'static> BorrowerKey for K {
    fn equals(&self, other: &dyn BorrowerKey) -> bool {
        other.as_any().downcast_ref::<K>() == Some(self)
    }

    fn hash(&self, state: &mut DefaultHasher) {
        Hash::hash(self, state);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Borrower {
    /// The borrower that `key` stands for. Equal keys of one type stand for the same borrower.
    pub fn new(key: impl Hash + Eq + 'static) -> Borrower {
        Borrower(Rc::new(key))
    }

    /// The key, if it is of type `K`. The key of a task is its [`Task`].
    pub fn key<K: 'static>(&self) -> Option<&K> {
        (*self.0).as_any().downcast_ref()
    }
}

impl PartialEq for Borrower {
    fn eq(&self, other: &Borrower) -> bool {
        self.0.equals(&*other.0)
    }
}

impl Eq for Borrower {}

impl Hash for Borrower {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let mut own = DefaultHasher::new();
        self.0.hash(&mut own);
        state.write_u64(own.finish());
    }
}

impl fmt::Debug for Borrower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.key::<Task>() {
            Some(task) => task.fmt(f),
            None => f.write_str("Borrower"),
        }
    }
}

struct LimiterState {
    total: Cell<usize>,
    /// Who has a token, and how many go on with it: several that wait for the same borrower may.
    borrowers: RefCell<HashMap<Borrower, usize>>,
    /// Those who wait, each for somebody.
    queue: Rc<WaitQueue<Borrower>>,
}

impl LimiterState {
    /// Gives the tokens that are free now to who waits for them, before anybody else can ask. Of two that
    /// wait for the same borrower both go on with its one token, and nobody is let in instead of the
    /// second.
    fn wake(&self) {
        let free = || self.total.get().saturating_sub(self.borrowers.borrow().len());
        for _ in 0..free() {
            // Code that was called by a wake may have taken tokens or given some back.
            if free() == 0 {
                break;
            }
            let lend = |borrower: &mut Borrower| self.lend(borrower.clone());
            if self.queue.unpark_one(lend).is_none() {
                break;
            }
        }
    }

    fn lend(&self, borrower: Borrower) {
        *self.borrowers.borrow_mut().entry(borrower).or_default() += 1;
    }

    /// A wait that should have continued with its borrower's token does not. If no other does, the token is free.
    fn decline(&self, borrower: &Borrower) {
        let mut borrowers = self.borrowers.borrow_mut();
        let left = borrowers.get_mut(borrower).map(|count| {
            *count -= 1;
            *count
        });
        let gone = if left == Some(0) { borrowers.remove_entry(borrower) } else { None };
        // Nothing is borrowed here, since a key runs code of the user.
        drop((borrowers, gone));
        self.wake();
    }
}

impl Knows for LimiterState {
    fn awaited(&self, _queue: QueueIndex) -> Awaited {
        let borrowers = self.borrowers.borrow();
        let mut holders: Vec<Task> =
            borrowers.keys().filter_map(|borrower| borrower.key::<Task>().cloned()).collect();
        holders.sort_unstable_by_key(Task::id);
        let details = format!("{} of {} tokens are borrowed", borrowers.len(), self.total.get());
        Awaited { holders, details, ..Awaited::default() }
    }
}

/// Limits the number of borrowers at the same time, and serves them in the order of asking; trio's `CapacityLimiter`.
/// Clones are the same limiter.
///
/// Unlike a semaphore it knows its borrowers. A borrower cannot take two tokens, and only a borrower can give one back.
/// The number of tokens may be zero or [`CapacityLimiter::UNLIMITED`].
///
/// ```
/// use terzetto::sync::CapacityLimiter;
/// terzetto::run(async {
///     let limiter = CapacityLimiter::new(2);
///     let loan = limiter.acquire().await?;
///     assert_eq!((limiter.borrowed_tokens(), limiter.available_tokens()), (1, 1));
///     drop(loan);
///     assert_eq!(limiter.borrowed_tokens(), 0);
///     Ok(())
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
#[derive(Clone)]
pub struct CapacityLimiter {
    inner: Rc<LimiterState>,
}

impl CapacityLimiter {
    /// An unlimited number of tokens; trio's infinity.
    pub const UNLIMITED: usize = usize::MAX;

    /// A limiter with `total` tokens.
    pub fn new(total: usize) -> CapacityLimiter {
        let inner = Rc::new(LimiterState {
            total: Cell::new(total),
            borrowers: RefCell::default(),
            queue: WaitQueue::new("waiting for a limiter"),
        });
        let knows = Rc::downgrade(&inner);
        inner.queue.is_known_by(knows, QueueIndex::First);
        CapacityLimiter { inner }
    }

    /// How many tokens there are.
    pub fn total_tokens(&self) -> usize {
        self.inner.total.get()
    }

    /// Changes the total number of tokens. If there are more, waiters wake in order. If there are fewer than are
    /// borrowed, nobody gets a token until enough have come back.
    pub fn set_total_tokens(&self, total: usize) {
        self.inner.total.set(total);
        self.inner.wake();
    }

    /// How many are borrowed.
    pub fn borrowed_tokens(&self) -> usize {
        self.inner.borrowers.borrow().len()
    }

    /// How many tokens are free. The number is negative if more are borrowed than there are now. For an
    /// [unlimited](Self::UNLIMITED) limiter it is [`isize::MAX`], however many are borrowed.
    ///
    /// ```
    /// # use terzetto::sync::CapacityLimiter;
    /// # terzetto::run(async {
    /// let limiter = CapacityLimiter::new(1);
    /// let _loan = limiter.acquire().await?;
    /// limiter.set_total_tokens(0);
    /// assert_eq!(limiter.available_tokens(), -1);
    /// limiter.set_total_tokens(CapacityLimiter::UNLIMITED);
    /// assert_eq!(limiter.available_tokens(), isize::MAX);
    /// # Ok(()) }).unwrap();
    /// ```
    pub fn available_tokens(&self) -> isize {
        match self.total_tokens() {
            CapacityLimiter::UNLIMITED => isize::MAX,
            total => {
                // Both are counts: the one of what is in memory, the other cut down to what counts.
                let total = isize::try_from(total).unwrap_or(isize::MAX);
                total.saturating_sub_unsigned(self.borrowed_tokens())
            }
        }
    }

    /// All borrowers that have a token, in no particular order.
    pub fn borrowers(&self) -> Vec<Borrower> {
        self.inner.borrowers.borrow().keys().cloned().collect()
    }

    /// How many tasks wait.
    pub fn tasks_waiting(&self) -> usize {
        self.inner.queue.len()
    }

    /// Borrows for the current task without waiting.
    ///
    /// # Errors
    /// [`AcquireError::WouldBlock`], [`AcquireError::AlreadyBorrowed`].
    pub fn acquire_nowait(&self) -> Result<Loan, AcquireError> {
        self.acquire_on_behalf_of_nowait(Borrower::new(current_task()))
    }

    /// Borrows a token for any borrower, without waiting.
    ///
    /// # Errors
    /// [`AcquireError::WouldBlock`], [`AcquireError::AlreadyBorrowed`].
    pub fn acquire_on_behalf_of_nowait(&self, borrower: Borrower) -> Result<Loan, AcquireError> {
        if self.inner.borrowers.borrow().contains_key(&borrower) {
            return Err(AcquireError::AlreadyBorrowed);
        }
        if self.available_tokens() <= 0 || self.inner.queue.len() > 0 {
            return Err(AcquireError::WouldBlock);
        }
        self.inner.lend(borrower.clone());
        Ok(Loan { limiter: self.clone(), borrower })
    }

    /// Borrows for the current task, waiting for its turn.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, nothing was borrowed.
    ///
    /// # Errors
    /// Cancelled, or the task has a token already.
    ///
    /// # Panics
    /// Outside a task.
    pub async fn acquire(&self) -> Result<Loan, AcquireError> {
        self.acquire_on_behalf_of(Borrower::new(current_task())).await
    }

    /// Borrows a token for any borrower, waiting for its turn.
    ///
    /// # Cancellation
    /// As [`CapacityLimiter::acquire`].
    ///
    /// # Errors
    /// Cancelled, or the borrower has a token already.
    ///
    /// # Panics
    /// Outside a task.
    pub async fn acquire_on_behalf_of(&self, borrower: Borrower) -> Result<Loan, AcquireError> {
        checkpoint_if_cancelled().await?;
        match self.acquire_on_behalf_of_nowait(borrower.clone()) {
            Ok(loan) => {
                TurnAfterSuccess::default().await;
                return Ok(loan);
            }
            Err(AcquireError::WouldBlock) => {}
            Err(error) => return Err(error),
        }
        Borrowing { limiter: self, park: self.inner.queue.park(borrower.clone()) }.await?;
        Ok(Loan { limiter: self.clone(), borrower })
    }

    /// Gives the current task's token back, for a loan that was [forgotten](Loan::forget).
    ///
    /// # Errors
    /// If it has none.
    ///
    /// # Panics
    /// Outside a task.
    pub fn release(&self) -> Result<(), NotHeld> {
        self.release_on_behalf_of(&Borrower::new(current_task()))
    }

    /// Gives back the token of any borrower.
    ///
    /// # Errors
    /// If the borrower has none.
    pub fn release_on_behalf_of(&self, borrower: &Borrower) -> Result<(), NotHeld> {
        let gone = self.inner.borrowers.borrow_mut().remove_entry(borrower);
        if gone.is_none() {
            return Err(NotHeld::Token);
        }
        self.inner.wake();
        Ok(())
    }
}

impl fmt::Debug for CapacityLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CapacityLimiter")
            .field("total", &self.total_tokens())
            .field("borrowed", &self.borrowed_tokens())
            .field("tasks_waiting", &self.tasks_waiting())
            .finish()
    }
}

/// A wait that ends when the borrower has a token. If it is dropped before that, it leaves no trace.
struct Borrowing<'a> {
    limiter: &'a CapacityLimiter,
    park: Park<'a, Borrower>,
}

impl Future for Borrowing<'_> {
    type Output = Result<(), Cancelled>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.park).poll(cx).map(|(_, outcome)| outcome)
    }
}

impl Drop for Borrowing<'_> {
    fn drop(&mut self) {
        if let Some(borrower) = self.park.unclaimed() {
            self.limiter.inner.decline(&borrower);
        }
    }
}

/// A token that is borrowed; dropping it gives it back.
#[must_use = "the token is given back when its loan is dropped"]
#[derive(Debug)]
pub struct Loan {
    limiter: CapacityLimiter,
    borrower: Borrower,
}

impl Loan {
    /// Keeps the token borrowed. Give it back by [`CapacityLimiter::release`] or
    /// [`CapacityLimiter::release_on_behalf_of`].
    pub fn forget(self) {
        std::mem::forget(self);
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let _ = self.limiter.release_on_behalf_of(&self.borrower);
    }
}
