//! The reactor: where the run loop sleeps, and what the operating system has to say.

use mio::{Events, Poll, Token, Waker};
use std::{io, time::Duration};

/// The event of the cross-thread bell.
const BELL: Token = Token(usize::MAX);

pub(crate) struct Reactor {
    poll: Poll,
    events: Events,
}

impl Reactor {
    pub(crate) fn new() -> io::Result<Reactor> {
        Ok(Reactor { poll: Poll::new()?, events: Events::with_capacity(256) })
    }

    /// The bell that other threads ring to end a sleep. To be made once.
    pub(crate) fn bell(&self) -> io::Result<Waker> {
        Waker::new(self.poll.registry(), BELL)
    }

    /// Sleeps until an event or the time limit. Returns whether there was an event.
    pub(crate) fn wait(&mut self, limit: Option<Duration>) -> bool {
        match self.poll.poll(&mut self.events, limit) {
            Ok(()) => !self.events.is_empty(),
            // A signal handler ran: look around and come back.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => true,
            Err(error) => {
                log::error!("the reactor failed to wait for events: {error}");
                true
            }
        }
    }
}
