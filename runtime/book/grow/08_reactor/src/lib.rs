// Step 8: sockets. The thread sleeps in the operating system's queue of events.

use mio::{Events, Interest, Poll as Queue, Token, unix::SourceFd};
use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    future::poll_fn,
    io::{self, ErrorKind, Read, Write},
    net::{self, SocketAddr},
    os::fd::{AsRawFd, RawFd},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Wake, Waker},
};
use step_04::expire;
use step_07::{Error, cancellable};

struct Reactor {
    queue: RefCell<Queue>,
    waiting: RefCell<HashMap<Token, Vec<Waker>>>,
    next: Cell<usize>,
}

thread_local! {
    static REACTOR: Reactor = Reactor {
        queue: RefCell::new(Queue::new().expect("the system has a queue of events")),
        waiting: RefCell::default(),
        next: Cell::new(1),
    };
}

/// Ends the sleep of the reactor, from any thread.
struct Ring(mio::Waker);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.0.wake().expect("the queue of events can be woken");
    }
}

/// `run` of step 4, which sleeps in the reactor.
pub fn run<T>(main: impl Future<Output = T>) -> io::Result<T> {
    let ring = REACTOR.with(|reactor| mio::Waker::new(reactor.queue.borrow().registry(), Token(0)))?;
    let waker = Waker::from(Arc::new(Ring(ring)));
    let mut cx = Context::from_waker(&waker);
    let mut main = pin!(main);
    let mut events = Events::with_capacity(64);
    loop {
        if let Poll::Ready(value) = main.as_mut().poll(&mut cx) {
            return Ok(value);
        }
        let left = expire();
        REACTOR.with(|reactor| {
            match reactor.queue.borrow_mut().poll(&mut events, left) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                let woken = reactor.waiting.borrow_mut().remove(&event.token());
                woken.into_iter().flatten().for_each(Waker::wake);
            }
            Ok(())
        })?;
    }
}

/// A descriptor that the reactor knows.
struct Source {
    fd: RawFd,
    token: Token,
}

impl Source {
    fn new(socket: &impl AsRawFd) -> io::Result<Source> {
        REACTOR.with(|reactor| {
            let (fd, token) = (socket.as_raw_fd(), Token(reactor.next.replace(reactor.next.get() + 1)));
            let both = Interest::READABLE | Interest::WRITABLE;
            reactor.queue.borrow().registry().register(&mut SourceFd(&fd), token, both)?;
            Ok(Source { fd, token })
        })
    }

    /// Tries an operation, and again after each event, until it need not wait.
    async fn retry<T>(&self, mut operation: impl FnMut() -> io::Result<T>) -> Result<T, Error> {
        let retried = poll_fn(|cx| match operation() {
            // Between this answer and the next look at the queue nothing else runs. So no event is missed.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                REACTOR.with(|reactor| {
                    let mut waiting = reactor.waiting.borrow_mut();
                    waiting.entry(self.token).or_default().push(cx.waker().clone());
                });
                Poll::Pending
            }
            outcome => Poll::Ready(outcome),
        });
        cancellable(retried).await?.map_err(|error| Error::Failed(error.to_string()))
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        REACTOR.with(|reactor| {
            reactor.waiting.borrow_mut().remove(&self.token);
            // It fails only if the descriptor is not there any more.
            let _ = reactor.queue.borrow().registry().deregister(&mut SourceFd(&self.fd));
        });
    }
}

// The source comes first in both structs: it is dropped before the descriptor is closed.
pub struct TcpListener {
    source: Source,
    socket: net::TcpListener,
}

pub struct TcpStream {
    source: Source,
    socket: net::TcpStream,
}

impl TcpListener {
    pub fn bind(address: impl net::ToSocketAddrs) -> io::Result<TcpListener> {
        let socket = net::TcpListener::bind(address)?;
        socket.set_nonblocking(true)?;
        Ok(TcpListener { source: Source::new(&socket)?, socket })
    }

    pub fn address(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    pub async fn accept(&self) -> Result<TcpStream, Error> {
        let (socket, _) = self.source.retry(|| self.socket.accept()).await?;
        TcpStream::new(socket).map_err(|error| Error::Failed(error.to_string()))
    }
}

impl TcpStream {
    /// Takes over a socket that is connected.
    pub fn new(socket: net::TcpStream) -> io::Result<TcpStream> {
        socket.set_nonblocking(true)?;
        Ok(TcpStream { source: Source::new(&socket)?, socket })
    }

    pub async fn receive_some(&self, buffer: &mut [u8]) -> Result<usize, Error> {
        self.source.retry(|| (&self.socket).read(buffer)).await
    }

    pub async fn send_all(&self, mut data: &[u8]) -> Result<(), Error> {
        while !data.is_empty() {
            let sent = self.source.retry(|| (&self.socket).write(data)).await?;
            data = &data[sent..];
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{TcpListener, TcpStream, run};
    use std::{io::Write, net, thread, time::Duration};
    use step_07::{Error, move_on_after, nursery};

    #[test]
    fn both_sides_of_a_connection_run_on_one_thread() {
        let outcome = run(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client =
                TcpStream::new(net::TcpStream::connect(listener.address().unwrap()).unwrap()).unwrap();
            nursery(async |n| {
                n.start_soon(async {
                    let server = listener.accept().await?;
                    let mut buffer = [0; 16];
                    let n = server.receive_some(&mut buffer).await?;
                    server.send_all(&buffer[..n]).await
                });
                client.send_all(b"hello").await?;
                let mut buffer = [0; 16];
                let n = client.receive_some(&mut buffer).await?;
                assert_eq!(&buffer[..n], b"hello");
                Ok(())
            })
            .await
        });
        assert_eq!(outcome.unwrap(), Ok(Some(())));
    }

    #[test]
    fn an_accept_can_be_cancelled_and_the_listener_is_as_before() {
        let outcome: Result<(), Error> = run(async {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let none = move_on_after(Duration::from_millis(10), listener.accept()).await?;
            assert!(none.is_none());
            let address = listener.address().unwrap();
            let client = thread::spawn(move || net::TcpStream::connect(address)?.write_all(b"late"));
            let mut buffer = [0; 4];
            let server = listener.accept().await?;
            assert_eq!(server.receive_some(&mut buffer).await?, 4);
            client.join().unwrap().unwrap();
            Ok(())
        })
        .unwrap();
        assert_eq!(outcome, Ok(()));
    }
}
