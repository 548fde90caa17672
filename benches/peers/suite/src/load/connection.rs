//! One client: messages out, answers in.

use mio::net::TcpStream;
use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Read, Write},
    net::SocketAddr,
    time::Instant,
};

/// Bytes of a message, and of its answer.
pub const MESSAGE: usize = 64;

/// A connection with at most one message out; others that are due wait their turn.
pub struct Connection {
    stream: TcpStream,
    /// When the messages were due that are out or waiting.
    due: VecDeque<Instant>,
    /// The answer as far as it has come.
    answer: [u8; MESSAGE],
    received: usize,
}

impl Connection {
    /// Connects.
    pub fn open(address: SocketAddr) -> io::Result<Connection> {
        let stream = std::net::TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let stream = TcpStream::from_std(stream);
        Ok(Connection { stream, due: VecDeque::new(), answer: [0; MESSAGE], received: 0 })
    }

    /// For registration.
    pub fn stream(&mut self) -> &mut TcpStream {
        &mut self.stream
    }

    /// Whether nothing is out.
    pub fn is_idle(&self) -> bool {
        self.due.is_empty()
    }

    /// Sends a message that is due at a certain time, now or when the one before is answered.
    pub fn send(&mut self, due: Instant) -> io::Result<()> {
        self.due.push_back(due);
        if self.due.len() == 1 { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> io::Result<()> {
        // A message fits into the empty buffer of a socket.
        self.stream.write_all(&[b'm'; MESSAGE])
    }

    /// Takes in what has come; if that completes an answer, returns when its message was due.
    pub fn receive(&mut self) -> io::Result<Option<Instant>> {
        while !self.due.is_empty() {
            match self.stream.read(&mut self.answer[self.received..]) {
                Ok(0) => return Err(io::Error::other("the server has closed a connection")),
                Ok(count) => self.received += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
            if self.received == MESSAGE {
                if self.answer != [b'm'; MESSAGE] {
                    return Err(io::Error::other("an answer is not the message"));
                }
                self.received = 0;
                let due = self.due.pop_front();
                if !self.due.is_empty() {
                    self.write()?;
                }
                return Ok(due);
            }
        }
        Ok(None)
    }
}
