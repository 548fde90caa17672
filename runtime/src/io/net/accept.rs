//! Accepting connections: the common part of all listeners.

use crate::{
    checkpoint,
    core::block::reactor::Direction,
    io::{Source, StreamError, Turnstile},
};
use std::{io, os::fd::AsFd, rc::Rc};

/// A listening socket in non-blocking mode.
pub(super) struct Acceptor<T: AsFd> {
    source: Source<T>,
    accepting: Turnstile,
}

impl<T: AsFd> Acceptor<T> {
    /// Makes an acceptor over a socket of our own, in non-blocking mode.
    pub(super) fn new(listener: T) -> io::Result<Acceptor<T>> {
        Ok(Acceptor { source: Source::new(listener)?, accepting: Turnstile::default() })
    }

    /// Makes an acceptor over a socket that a user has given us.
    pub(super) fn given(listener: T) -> io::Result<Acceptor<T>> {
        Ok(Acceptor { source: Source::given(listener)?, accepting: Turnstile::default() })
    }

    /// The listener, until it is closed.
    pub(super) fn get(&self) -> Result<Rc<T>, StreamError> {
        self.source.get()
    }

    /// Closes. A checkpoint. If it is cancelled, the listener is closed, too.
    pub(super) async fn close(&self) -> Result<(), StreamError> {
        self.source.close();
        Ok(checkpoint().await?)
    }

    /// Accepts one connection by `accept`. Connections that failed in the queue are skipped.
    ///
    /// # Cancellation
    /// A checkpoint. If cancelled, no connection was taken out of the queue.
    pub(super) async fn accept<S>(
        &self,
        mut accept: impl FnMut(&T) -> io::Result<S>,
    ) -> Result<S, StreamError> {
        self.get()?;
        let _inside = self.accepting.enter("accepting from this listener")?;
        loop {
            match self.source.operate(Direction::Read, &mut accept).await {
                Err(StreamError::Io(error)) if is_of_one_connection(&error) => {
                    log::debug!("a connection died before it was accepted: {error}");
                    checkpoint().await?;
                }
                accepted => return accepted,
            }
        }
    }
}

/// Whether `accept` failed for a reason that concerns only the connection that it would have returned. The list is
/// trio's. It contains refusals by a firewall, resets, and the network errors that Linux passes on (accept(2),
/// "Error handling").
fn is_of_one_connection(error: &io::Error) -> bool {
    let Some(code) = error.raw_os_error() else { return false };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if matches!(code, libc::ENONET | libc::ENOSR) {
        return true;
    }
    matches!(
        code,
        libc::EPERM
            | libc::ECONNABORTED
            | libc::ECONNRESET
            | libc::EPROTO
            | libc::ENETDOWN
            | libc::ENETUNREACH
            | libc::ENOPROTOOPT
            | libc::EHOSTDOWN
            | libc::EHOSTUNREACH
            | libc::EOPNOTSUPP
            | libc::ESOCKTNOSUPPORT
            | libc::EPROTONOSUPPORT
            | libc::ETIMEDOUT
    )
}
