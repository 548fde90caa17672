//! The token: how the rest of the process calls into a run.

use super::{
    inbox::{Inbox, Message},
    run,
};
use std::{error::Error as StdError, fmt, sync::Arc};

/// The run has ended: nothing can be called in it any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunFinished;

impl fmt::Display for RunFinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the run has ended")
    }
}

impl StdError for RunFinished {}

/// A handle to a run that any thread may hold for ever; trio's `TrioToken`.
///
/// ```
/// use terzetto::{CancelScope, Token, sleep_forever};
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
#[derive(Clone)]
pub struct Token {
    inbox: Arc<Inbox>,
}

impl Token {
    /// The token of the current run.
    ///
    /// # Panics
    /// Outside a run.
    pub fn current() -> Token {
        Token { inbox: run::current().inbox.clone() }
    }

    /// Has `call` called on the run's thread, soon, between two ticks. Calls of one thread are made
    /// in order; one that was accepted is made, also if the run ends first.
    ///
    /// # Errors
    /// [`RunFinished`] if the run has ended.
    pub fn run_sync_soon(&self, call: impl FnOnce() + Send + 'static) -> Result<(), RunFinished> {
        match self.inbox.push(Message::Call(Box::new(call))) {
            None => Ok(()),
            Some(_) => Err(RunFinished),
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}
