//! Accepting connections: what listeners of all kinds have in common.

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
    /// Over a socket of our own, in non-blocking mode.
    pub(super) fn new(listener: T) -> io::Result<Acceptor<T>> {
        Ok(Acceptor { source: Source::new(listener)?, accepting: Turnstile::default() })
    }

    /// Over a socket that a user has given us.
    pub(super) fn given(listener: T) -> io::Result<Acceptor<T>> {
        Ok(Acceptor { source: Source::given(listener)?, accepting: Turnstile::default() })
    }

    /// The listener, until it is closed.
    pub(super) fn get(&self) -> Result<Rc<T>, StreamError> {
        self.source.get()
    }

    /// Closes. A checkpoint, which may be cancelled: then it is closed, too.
    pub(super) async fn close(&self) -> Result<(), StreamError> {
        self.source.close();
        Ok(checkpoint().await?)
    }

    /// Accepts one connection by `accept`, passing over those that died while they were queued.
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

/// Whether `accept` failed for a reason that concerns only the connection it would have returned.
/// The list is trio's: a firewall's refusal, resets, and whatever Linux passes on of the network's
/// errors (accept(2), "Error handling").
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
