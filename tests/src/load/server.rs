//! An echo server that counts.

use super::MESSAGE;
use std::{cell::Cell, rc::Rc};
use terzetto::{
    Error,
    io::{ReceiveStream, SendStream, StreamError, TcpListener, TcpStream, serve_listeners},
    move_on_after,
};

/// What has happened to the connections of a server.
#[derive(Debug, Default)]
pub struct Tally {
    /// Connections that are open.
    pub open: Cell<usize>,
    /// How many were open at once, at most.
    pub most: Cell<usize>,
    /// Messages answered.
    pub messages: Cell<u64>,
    /// Connections that ended well.
    pub ended: Cell<usize>,
    /// Connections that broke, or ended amid a message.
    pub broken: Cell<usize>,
    /// Connections that were dropped because they took too long over a message.
    pub too_slow: Cell<usize>,
}

pub(super) fn add<T: Copy + std::ops::Add<Output = T>>(to: &Cell<T>, number: T) {
    to.set(to.get() + number);
}

/// Keeps count of one open connection, however it ends.
struct Open<'a>(&'a Tally);

impl<'a> Open<'a> {
    fn new(tally: &'a Tally) -> Open<'a> {
        add(&tally.open, 1);
        tally.most.set(tally.most.get().max(tally.open.get()));
        Open(tally)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.open.set(self.0.open.get() - 1);
    }
}

/// How messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// As they are.
    Plain,
    /// As the bodies of requests and responses of HTTP/1.1.
    Http,
}

/// A server that answers each message of [`MESSAGE`] bytes by the same message.
pub struct EchoServer<'a> {
    /// How messages travel.
    pub protocol: Protocol,
    /// How long a client may take over a message, in seconds.
    pub patience: f64,
    /// Where it counts.
    pub tally: &'a Tally,
}

impl EchoServer<'_> {
    /// Serves until it is cancelled.
    ///
    /// # Errors
    /// If the server, not a single connection, fails.
    pub async fn serve(
        &self,
        listeners: Vec<TcpListener>,
        status: terzetto::TaskStatus<Vec<Rc<TcpListener>>>,
    ) -> Result<(), Error> {
        serve_listeners(listeners, async |stream| self.connection(stream).await, status).await
    }

    async fn connection(&self, stream: TcpStream) -> Result<(), Error> {
        let _open = Open::new(self.tally);
        if self.protocol == Protocol::Http {
            return super::http::connection(stream, self.patience, self.tally).await;
        }
        let mut message = [0; MESSAGE];
        loop {
            let received = move_on_after(self.patience, async {
                // How a message ended is the outcome; what is cancelled goes through.
                match receive_message(&stream, &mut message).await {
                    Err(StreamError::Cancelled(cancelled)) => Err(cancelled.into()),
                    other => Ok(other),
                }
            });
            match received.await? {
                None => {
                    add(&self.tally.too_slow, 1);
                    return Ok(());
                }
                Some(Ok(true)) => {}
                Some(Ok(false)) => {
                    add(&self.tally.ended, 1);
                    return Ok(());
                }
                Some(Err(_)) => {
                    add(&self.tally.broken, 1);
                    return Ok(());
                }
            }
            match stream.send_all(&message).await {
                Ok(()) => add(&self.tally.messages, 1),
                Err(StreamError::Cancelled(cancelled)) => return Err(cancelled.into()),
                Err(_) => {
                    add(&self.tally.broken, 1);
                    return Ok(());
                }
            }
        }
    }
}

/// Receives one message whole. False if the stream has ended before it.
pub(super) async fn receive_message(
    stream: &impl ReceiveStream,
    message: &mut [u8; MESSAGE],
) -> Result<bool, StreamError> {
    let mut filled = 0;
    while filled < MESSAGE {
        match stream.receive_some(&mut message[filled..]).await? {
            0 if filled == 0 => return Ok(false),
            0 => return Err(StreamError::Broken(None)),
            n => filled += n,
        }
    }
    Ok(true)
}
