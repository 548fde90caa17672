//! What the hosts say to each other: lines of text.

use std::{cell::RefCell, fmt, str::FromStr};
use terzetto::{
    Error, fail_after,
    io::{ReceiveStream, SendStream, TcpStream, open_tcp_stream},
};

pub const CLIENT_PORT: u16 = 1;
pub const FOLLOWER_PORT: u16 = 2;
/// How long a host waits for an answer, in seconds.
pub const PATIENCE: f64 = 2.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    Get,
    Put(u64),
    Add(u64),
}

impl Action {
    /// The value after the action. It is the answer, too.
    pub fn apply(self, value: u64) -> u64 {
        match self {
            Action::Get => value,
            Action::Put(new) => new,
            Action::Add(more) => value + more,
        }
    }
}

/// What a client wants. If it asks again, it uses the same number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Command {
    pub client: u64,
    pub number: u64,
    pub key: u64,
    pub action: Action,
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, value) = match self.action {
            Action::Get => ("get", 0),
            Action::Put(value) => ("put", value),
            Action::Add(value) => ("add", value),
        };
        write!(f, "{} {} {} {kind} {value}", self.client, self.number, self.key)
    }
}

impl FromStr for Command {
    type Err = Error;

    fn from_str(text: &str) -> Result<Command, Error> {
        let words: Vec<&str> = text.split(' ').collect();
        let [client, number, key, kind, value] = words[..] else {
            return Err(Error::msg(format!("{text:?} is no command")));
        };
        let action = match (kind, value.parse()?) {
            ("get", _) => Action::Get,
            ("put", value) => Action::Put(value),
            ("add", value) => Action::Add(value),
            _ => return Err(Error::msg(format!("{kind:?} is no action"))),
        };
        Ok(Command { client: client.parse()?, number: number.parse()?, key: key.parse()?, action })
    }
}

/// A connection that carries lines.
pub struct Lines {
    stream: TcpStream,
    received: RefCell<Vec<u8>>,
}

impl Lines {
    pub fn new(stream: TcpStream) -> Lines {
        Lines { stream, received: RefCell::default() }
    }

    pub async fn open(host: &str, port: u16) -> Result<Lines, Error> {
        Ok(Lines::new(fail_after(PATIENCE, open_tcp_stream(host, port)).await?))
    }

    pub async fn send(&self, line: impl fmt::Display) -> Result<(), Error> {
        Ok(self.stream.send_all(format!("{line}\n").as_bytes()).await?)
    }

    pub async fn receive(&self) -> Result<String, Error> {
        loop {
            let end = self.received.borrow().iter().position(|&byte| byte == b'\n');
            if let Some(end) = end {
                let line: Vec<u8> = self.received.borrow_mut().drain(..=end).collect();
                return Ok(String::from_utf8(line)?.trim_end().to_owned());
            }
            let mut buffer = [0; 4096];
            match self.stream.receive_some(&mut buffer).await? {
                0 => return Err(Error::msg("the connection has ended")),
                n => self.received.borrow_mut().extend_from_slice(&buffer[..n]),
            }
        }
    }

    /// Receives a line, which must come soon.
    pub async fn receive_soon(&self) -> Result<String, Error> {
        fail_after(PATIENCE, self.receive()).await
    }
}

/// Passes on a cancellation and no other error: what fails is tried again.
pub fn unless_cancelled<T>(outcome: Result<T, Error>) -> Result<Option<T>, Error> {
    match outcome {
        Err(error) if error.is_cancelled() => Err(error),
        other => Ok(other.ok()),
    }
}
