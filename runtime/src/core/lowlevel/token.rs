//! The token: how the rest of the process calls into a run.

use crate::core::{
    run,
    run::inbox::{Inbox, Message},
};
use std::{
    error::Error as StdError,
    fmt,
    hash::{Hash, Hasher},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The run has ended, or is ending. The request was not carried out, or only in part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunFinished;

impl fmt::Display for RunFinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the run has ended, or is ending and starts nothing any more")
    }
}

impl StdError for RunFinished {}

/// A handle to a run. Any thread may hold it, for ever. Two are equal if they are of the same run. trio's `TrioToken`.
///
/// ```
/// use terzetto::{CancelScope, sleep_forever, lowlevel::Token};
/// use std::{cell::RefCell, rc::Rc};
/// thread_local!(static SCOPE: RefCell<Option<CancelScope>> = const { RefCell::new(None) });
/// terzetto::run(async {
///     let scope = CancelScope::new();
///     SCOPE.set(Some(scope.clone()));
///     let token = Token::current();
///     std::thread::spawn(move || {
///         token.run_sync_soon(|| SCOPE.with_borrow(|s| s.as_ref().unwrap().cancel()))
///     });
///     scope.run(async { sleep_forever().await?; Ok(()) }).await
/// })?;
/// # Ok::<(), terzetto::Error>(())
/// ```
///
/// A run whose tasks are all blocked is no [deadlock](crate::Deadlock) while there is a token, since its holder may call
/// into the run.
pub struct Token {
    pub(crate) inbox: Arc<Inbox>,
}

impl Token {
    /// A token for this inbox. It is counted until it is dropped.
    pub(crate) fn of(inbox: &Arc<Inbox>) -> Token {
        inbox.add_token();
        Token { inbox: inbox.clone() }
    }
}

impl Clone for Token {
    fn clone(&self) -> Token {
        Token::of(&self.inbox)
    }
}

impl Drop for Token {
    fn drop(&mut self) {
        self.inbox.drop_token();
    }
}

/// Two tokens are equal if they are of the same run.
impl PartialEq for Token {
    fn eq(&self, other: &Token) -> bool {
        Arc::ptr_eq(&self.inbox, &other.inbox)
    }
}

impl Eq for Token {}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.inbox).hash(state);
    }
}

impl Token {
    /// The token of the current run.
    ///
    /// # Panics
    /// Outside a run.
    pub fn current() -> Token {
        run::with(|run| Token::of(&run.inbox))
    }

    /// Calls `call` soon, on the run's thread, between two ticks. Calls from one thread are made in order. A call
    /// that was accepted is made in any case. If the run ends before that, also by an error or a panic, the call is
    /// made while the run is taken down, when no task is polled any more.
    ///
    /// # Errors
    /// [`RunFinished`] if the run has ended.
    pub fn run_sync_soon(&self, call: impl FnOnce() + Send + 'static) -> Result<(), RunFinished> {
        self.inbox.push(Message::Call(Box::new(call))).map_err(|_refused| RunFinished)
    }
}

/// A call that is queued only once, however often it is asked for. [`Token::idempotent`] makes it.
#[derive(Clone)]
pub struct IdempotentCall {
    token: Token,
    shared: Arc<Idempotent>,
}

struct Idempotent {
    /// Whether the call is in the inbox. The lock is held while the call is put there, so whoever reads `true` can
    /// rely on it.
    queued: Mutex<bool>,
    call: Box<dyn Fn() + Send + Sync>,
}

impl Idempotent {
    fn queued(&self) -> MutexGuard<'_, bool> {
        // No code can panic half-way while it holds the lock.
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Token {
    /// A call that can be asked for many times and is made once; trio's `idempotent=True`. In trio the identity of
    /// the function says which calls are the same. Here the handle says it.
    ///
    /// ```
    /// use std::sync::{Arc, atomic::{AtomicU32, Ordering::SeqCst}};
    /// use terzetto::{checkpoint, lowlevel::Token};
    /// terzetto::run(async {
    ///     let made = Arc::new(AtomicU32::new(0));
    ///     let own = made.clone();
    ///     let call = Token::current().idempotent(move || drop(own.fetch_add(1, SeqCst)));
    ///     for _ in 0..5 { call.run_sync_soon()?; }
    ///     checkpoint().await?;
    ///     checkpoint().await?;
    ///     assert_eq!(made.load(SeqCst), 1);
    ///     Ok(())
    /// })?;
    /// # Ok::<(), terzetto::Error>(())
    /// ```
    pub fn idempotent(&self, call: impl Fn() + Send + Sync + 'static) -> IdempotentCall {
        let shared = Idempotent { queued: Mutex::new(false), call: Box::new(call) };
        IdempotentCall { token: self.clone(), shared: Arc::new(shared) }
    }
}

impl IdempotentCall {
    /// Has the call made on the run's thread, unless it is already queued. As soon as the call is being made, it can
    /// be queued again.
    ///
    /// # Errors
    /// [`RunFinished`] if the run has ended.
    pub fn run_sync_soon(&self) -> Result<(), RunFinished> {
        let mut queued = self.shared.queued();
        if !*queued {
            let shared = self.shared.clone();
            self.token.run_sync_soon(move || {
                *shared.queued() = false;
                (shared.call)();
            })?;
            *queued = true;
        }
        Ok(())
    }
}

impl fmt::Debug for IdempotentCall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdempotentCall").field("queued", &*self.shared.queued()).finish()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}
