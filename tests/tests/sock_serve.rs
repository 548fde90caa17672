//! SOCK-03, SOCK-04 and SOCK-05: listening and serving.

use std::{
    cell::{Cell, RefCell},
    collections::VecDeque,
    io,
    net::{Ipv4Addr, Ipv6Addr, TcpListener as StdListener},
    rc::Rc,
    sync::atomic::{AtomicU16, Ordering::SeqCst},
};
use terzetto::{
    CancelScope, Error, TaskStatus, current_time,
    io::{
        Listener, ReceiveStream, Resource, SendStream, StreamError, TcpListener, TcpStream,
        open_tcp_listeners, serve_listeners, serve_listeners_in, serve_tcp, serve_tcp_in,
    },
    nursery, sleep, sleep_forever,
    testing::{MemoryStream, assert_checkpoints, memory_stream_pair},
};
use terzetto_tests::{Trace, run_mock};

async fn echo(stream: impl SendStream + ReceiveStream) -> Result<(), Error> {
    let mut buffer = [0; 4096];
    loop {
        match stream.receive_some(&mut buffer).await? {
            0 => return Ok(()),
            n => stream.send_all(&buffer[..n]).await?,
        }
    }
}

/// Sends a text, and expects it back.
async fn expect_echo(stream: &(impl SendStream + ReceiveStream), text: &[u8]) -> Result<(), Error> {
    stream.send_all(text).await?;
    let mut got = vec![0; text.len()];
    let mut filled = 0;
    while filled < got.len() {
        match stream.receive_some(&mut got[filled..]).await? {
            0 => return Err(Error::msg("the echo ended early")),
            n => filled += n,
        }
    }
    assert_eq!(got, text);
    Ok(())
}

fn has_ipv6() -> bool {
    StdListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok()
}

/// A port that is free on both families, and that nobody gets who asks the system for any: those are higher.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let port = 20_000 + (std::process::id() as u16 % 100) * 100 + NEXT.fetch_add(1, SeqCst) % 100;
        // One after the other: on both families at once they are in each other's way.
        let free_v4 = StdListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok();
        let free_v6 = !has_ipv6() || StdListener::bind((Ipv6Addr::UNSPECIFIED, port)).is_ok();
        if free_v4 && free_v6 {
            return port;
        }
    }
}

#[test]
fn sock_03_a_port_is_opened_on_both_families() {
    terzetto::run(async {
        let port = free_port();
        let listeners = assert_checkpoints(open_tcp_listeners(port, None, None)).await?;
        assert_eq!(listeners.len(), if has_ipv6() { 2 } else { 1 });
        for listener in &listeners {
            let address = listener.local_addr()?;
            assert!(address.port() == port && address.ip().is_unspecified());
            assert!(listener.with_socket(|socket| socket.reuse_address())?);
            let client = match address.is_ipv6() {
                true => TcpStream::connect((Ipv6Addr::LOCALHOST, port)).await?,
                false => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?,
            };
            assert_eq!(listener.accept().await?.peer_addr()?, client.local_addr()?);
        }
        let one = open_tcp_listeners(0, Some("127.0.0.1"), Some(5)).await?;
        assert!(one.len() == 1 && one[0].local_addr()?.ip().is_loopback());
        let error = open_tcp_listeners(0, Some(""), None).await.unwrap_err();
        assert!(error.to_string().contains("empty"), "{error}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_03_if_one_address_fails_none_is_kept() {
    if !has_ipv6() {
        return eprintln_skip("no IPv6 here");
    }
    terzetto::run(async {
        let port = free_port();
        // Only the second of the two is taken.
        let taken = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))?;
        let error = open_tcp_listeners(port, None, None).await.unwrap_err();
        assert_eq!(error.find::<io::Error>().map(io::Error::kind), Some(io::ErrorKind::AddrInUse));
        assert!(error.to_string().contains(&format!("[::]:{port}")), "{error}");
        let refused = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await;
        assert!(matches!(refused, Err(StreamError::Io(_))), "the first is closed again");
        taken.close().await?;
        assert_eq!(open_tcp_listeners(port, None, None).await?.len(), 2);
        Ok(())
    })
    .unwrap();
}

#[allow(clippy::print_stderr, reason = "says why a test has tested nothing")]
fn eprintln_skip(why: &str) {
    eprintln!("skipped: {why}");
}

/// A listener in memory, whose accepts end as they are told to.
#[derive(Default)]
struct Pretended {
    /// Errors to fail with, by their numbers.
    errors: RefCell<VecDeque<i32>>,
    connections: RefCell<VecDeque<MemoryStream>>,
    accepts: RefCell<Vec<f64>>,
    closed: Rc<Cell<bool>>,
}

impl Pretended {
    /// A client that is connected to it.
    fn connect(&self) -> MemoryStream {
        let (client, server) = memory_stream_pair();
        self.connections.borrow_mut().push_back(server);
        client
    }
}

impl Resource for Pretended {
    async fn close(&self) -> Result<(), StreamError> {
        self.closed.set(true);
        Ok(terzetto::checkpoint().await?)
    }
}

impl Listener for Pretended {
    type Stream = MemoryStream;

    async fn accept(&self) -> Result<MemoryStream, StreamError> {
        terzetto::checkpoint().await?;
        self.accepts.borrow_mut().push(current_time());
        if let Some(number) = self.errors.borrow_mut().pop_front() {
            return Err(StreamError::Io(io::Error::from_raw_os_error(number)));
        }
        let connection = self.connections.borrow_mut().pop_front();
        match connection {
            Some(connection) => Ok(connection),
            None => Err(sleep_forever().await.unwrap_err().into()),
        }
    }
}

#[test]
fn sock_04_each_connection_has_a_task_of_its_own() {
    run_mock(async {
        let listeners = vec![Pretended::default(), Pretended::default()];
        let clients: Vec<_> = (0..4).map(|i| listeners[i % 2].connect()).collect();
        let closed: Vec<_> = listeners.iter().map(|listener| listener.closed.clone()).collect();
        nursery(async |n| {
            let listeners = n.start(async |status| serve_listeners(listeners, echo, status).await).await?;
            assert_eq!(listeners.len(), 2);
            // Interleaved: no connection waits for another one's end.
            for round in 0..3u8 {
                for client in &clients {
                    expect_echo(client, &[round; 10]).await?;
                }
            }
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert!(closed.iter().all(|closed| closed.get()), "the listeners are closed");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_04_a_handlers_error_ends_the_server_unless_handled() {
    run_mock(async {
        let listener = Pretended::default();
        let (closed, client) = (listener.closed.clone(), listener.connect());
        let idle = listener.connect();
        let handler = async |stream: MemoryStream| {
            let n = stream.receive_some(&mut [0; 8]).await?;
            Err(Error::msg(format!("the handler failed after {n} bytes")))
        };
        client.send_all(b"xyz").await?;
        let error = serve_listeners(vec![listener], handler, TaskStatus::ignored()).await.unwrap_err();
        let texts: Vec<_> = error.group().unwrap().leaves().map(Error::to_string).collect();
        assert_eq!(texts, ["the handler failed after 3 bytes"]);
        assert!(closed.get());
        // The other connection was cancelled with the server, and its stream dropped.
        assert_eq!(idle.receive_some(&mut [0; 8]).await?, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_04_handlers_in_a_given_nursery_outlive_the_server() {
    run_mock(async {
        let trace = Trace::default();
        nursery(async |handlers| {
            let listener = Pretended::default();
            let client = listener.connect();
            let scope = CancelScope::new();
            let ends = scope.clone();
            let handler = async |stream: MemoryStream| {
                echo(stream).await?;
                trace.note("handler-ended");
                Ok(())
            };
            let server = async |status| {
                let served = scope.run(serve_listeners_in(handlers, vec![listener], handler, status)).await;
                trace.note("server-ended");
                served.map(drop)
            };
            nursery(async |n| {
                n.start(server).await?;
                expect_echo(&client, b"one").await?;
                ends.cancel();
                Ok(())
            })
            .await?;
            expect_echo(&client, b"two").await?;
            client.close().await?;
            Ok(())
        })
        .await?;
        assert_eq!(trace.text(), "server-ended handler-ended");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_04_a_shortage_is_waited_out_and_other_errors_end_the_server() {
    // EMFILE, ENFILE, ENOMEM, ENOBUFS on Linux; the first three are the same on all Unix systems.
    let nobufs = if cfg!(target_os = "linux") { 105 } else { 55 };
    const EINVAL: i32 = 22;
    run_mock(async {
        let listener = Rc::new(Pretended::default());
        listener.errors.borrow_mut().extend([24, 23, 12, nobufs, EINVAL]);
        let closed = listener.closed.clone();
        let served = serve_listeners(vec![listener.clone()], echo, TaskStatus::ignored()).await;
        let error = served.unwrap_err();
        let Some(StreamError::Io(error)) = error.find::<StreamError>() else { panic!("got {error:?}") };
        assert_eq!(error.raw_os_error(), Some(EINVAL));
        let accepts = listener.accepts.borrow();
        let pauses: Vec<_> = accepts.windows(2).map(|two| ((two[1] - two[0]) * 1e6).round() / 1e6).collect();
        assert_eq!(pauses, [0.1; 4]);
        assert!(closed.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_04_no_listeners_at_all_is_a_mistake() {
    run_mock(async {
        let error = serve_listeners(Vec::<Pretended>::new(), echo, TaskStatus::ignored()).await.unwrap_err();
        assert_eq!(error.find::<io::Error>().map(io::Error::kind), Some(io::ErrorKind::InvalidInput));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_04_a_listener_that_is_closed_ends_its_server() {
    terzetto::run(async {
        let outcome = nursery(async |n| {
            let listeners =
                n.start(async |status| serve_tcp(0, Some("127.0.0.1"), echo, status).await).await?;
            sleep(0.001).await?;
            Ok(listeners[0].close().await?)
        })
        .await;
        let error = outcome.unwrap_err();
        assert!(matches!(error.find::<StreamError>(), Some(StreamError::Closed)), "{error}");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_05_serve_tcp_reports_its_listeners() {
    terzetto::run(async {
        nursery(async |n| {
            let listeners =
                n.start(async |status| serve_tcp(0, Some("127.0.0.1"), echo, status).await).await?;
            let others =
                n.start(async |status| serve_tcp_in(n, 0, Some("127.0.0.1"), echo, status).await).await?;
            for listener in [&listeners[0], &others[0]] {
                let client = TcpStream::connect(listener.local_addr()?).await?;
                expect_echo(&client, &[7; 100_000]).await?;
            }
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        // A server that cannot listen fails before it is started.
        let taken = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let port = taken.local_addr()?.port();
        nursery(async |n| {
            let failed = n.start(async |status| serve_tcp(port, Some("127.0.0.1"), echo, status).await).await;
            assert!(failed.unwrap_err().to_string().contains(&port.to_string()));
            Ok(())
        })
        .await
    })
    .unwrap();
}
