//! TEST-05, STREAM and SOCK-06 on real descriptors: the suites, options, pipes.

use std::{
    cell::Cell,
    io::{ErrorKind, Read, Write},
    time::{SystemTime, UNIX_EPOCH},
};
use terzetto::{
    CancelScope, Error, checkpoint, fail_after,
    io::{
        HalfCloseableStream, Listener, PipeReceiver, PipeSender, ReceiveStream, SendStream, StreamError,
        TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream, pipe,
    },
    move_on_after, nursery,
    testing::{
        assert_checkpoints, check_clogged_stream, check_half_closeable_stream, check_one_way_stream,
        wait_all_tasks_blocked,
    },
};

/// Two ends of a TCP connection.
async fn tcp_pair() -> Result<(TcpStream, TcpStream), Error> {
    let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
    let client = TcpStream::connect(listener.local_addr()?).await?;
    Ok((client, listener.accept().await?))
}

/// Sends until no more goes in.
async fn clog<S: SendStream, R>(pair: (S, R)) -> Result<(S, R), Error> {
    let much = vec![0; 65536];
    // The system moves data from one side's buffers to the other's as it likes: full is what stays so.
    while move_on_after(0.02, async { Ok(pair.0.send_all(&much).await?) }).await?.is_some() {}
    Ok(pair)
}

/// A folder of its own for each test, removed at the end.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> std::io::Result<Folder> {
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |t| t.subsec_nanos());
        let path = std::env::temp_dir().join(format!("terzetto-{name}-{}-{nanos}", std::process::id()));
        std::fs::create_dir(&path)?;
        Ok(Folder(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn test_05_the_suites_pass_on_tcp() {
    terzetto::run(async {
        check_half_closeable_stream(tcp_pair).await?;
        check_clogged_stream(async || clog(tcp_pair().await?).await).await
    })
    .unwrap();
}

#[test]
fn test_05_the_suites_pass_on_unix_sockets() {
    terzetto::run(async {
        check_half_closeable_stream(async || Ok(UnixStream::pair()?)).await?;
        check_clogged_stream(async || clog(UnixStream::pair()?).await).await
    })
    .unwrap();
}

#[test]
fn test_05_the_suites_pass_on_pipes() {
    terzetto::run(async {
        check_one_way_stream(async || Ok(pipe()?)).await?;
        check_clogged_stream(async || clog(pipe()?).await).await
    })
    .unwrap();
}

#[test]
fn stream_01_02_tcp_streams_come_with_options_and_addresses() {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        let server = listener.accept().await?;
        assert_eq!(client.peer_addr()?, listener.local_addr()?);
        assert_eq!(server.peer_addr()?, client.local_addr()?);
        // As in trio, by default.
        assert!(client.nodelay()? && server.nodelay()?);
        client.set_nodelay(false)?;
        assert!(!client.nodelay()?);
        client.with_socket(|socket| socket.set_keepalive(true))?;
        assert!(client.with_socket(|socket| socket.keepalive())?);
        client.close().await?;
        assert!(matches!(client.peer_addr(), Err(StreamError::Closed)));
        assert!(matches!(client.nodelay(), Err(StreamError::Closed)));
        // From what others have made, and back.
        let std_listener = std::net::TcpListener::bind("127.0.0.1:0")?;
        let there = std::net::TcpStream::connect(std_listener.local_addr()?)?;
        let here = TcpStream::from_std(std_listener.accept()?.0)?;
        (&there).write_all(b"from std")?;
        let mut buffer = [0; 16];
        assert_eq!(here.receive_some(&mut buffer).await?, 8);
        let mut clone = std::net::TcpStream::from(here.try_clone_fd()?);
        drop(here);
        clone.write_all(b"to std")?;
        assert_eq!((&there).read(&mut buffer)?, 6);
        Ok(())
    })
    .unwrap();
}

#[test]
fn stream_03_a_reset_breaks_the_stream() {
    terzetto::run(async {
        let (a, b) = tcp_pair().await?;
        // Closing with a linger of zero sends a reset.
        b.with_socket(|socket| socket.set_linger(Some(std::time::Duration::ZERO)))?;
        nursery(async |n| {
            n.start_soon(async {
                let outcome = a.receive_some(&mut [0; 16]).await;
                let Err(StreamError::Broken(Some(error))) = outcome else { panic!("got {outcome:?}") };
                assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            Ok(b.close().await?)
        })
        .await?;
        // After a reset the end needs no telling, and the stream can be closed.
        a.close().await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn stream_04_send_eof_reaches_the_other_side_and_its_answer_comes_back() {
    terzetto::run(async {
        let (a, b) = tcp_pair().await?;
        nursery(async |n| {
            n.start_soon(async {
                let (mut got, mut buffer) = (Vec::new(), [0; 5]);
                loop {
                    match b.receive_some(&mut buffer).await? {
                        0 => break,
                        n => got.extend_from_slice(&buffer[..n]),
                    }
                }
                got.reverse();
                Ok(b.send_all(&got).await?)
            });
            a.send_all(b"desserts").await?;
            a.send_eof().await?;
            let (mut got, mut buffer) = (Vec::new(), [0; 3]);
            while got.len() < 8 {
                let n = a.receive_some(&mut buffer).await?;
                got.extend_from_slice(&buffer[..n]);
            }
            assert_eq!(got, b"stressed");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn stream_04_waiting_to_send_after_send_eof_does_not_fail() {
    terzetto::run(async {
        let (a, b) = tcp_pair().await?;
        a.send_eof().await?;
        assert_checkpoints(a.wait_send_all_might_not_block()).await?;
        assert!(matches!(a.send_all(b"x").await, Err(StreamError::Closed)));
        a.close().await?;
        assert!(matches!(a.wait_send_all_might_not_block().await, Err(StreamError::Closed)));
        drop(b);
        Ok(())
    })
    .unwrap();
}

#[test]
fn stream_02_receiving_into_no_room_is_refused() {
    terzetto::run(async {
        let (a, _b) = tcp_pair().await?;
        let (_sender, receiver) = pipe()?;
        let both = async { Ok([a.receive_some(&mut []).await, receiver.receive_some(&mut []).await]) };
        for refused in fail_after(5.0, both).await? {
            let refused = refused.unwrap_err();
            assert!(matches!(&refused, StreamError::Io(error) if error.kind() == ErrorKind::InvalidInput));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_06_what_is_dropped_in_a_cancelled_task_is_closed() {
    terzetto::run(async {
        let (a, b) = tcp_pair().await?;
        let (sender, receiver) = pipe()?;
        let (c, d) = UnixStream::pair()?;
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let address = listener.local_addr()?;
        nursery(async |n| {
            n.start_soon(async move {
                let _held = (sender, c);
                Ok(a.receive_some(&mut [0; 8]).await.map(drop)?)
            });
            n.start_soon(async move { Ok(listener.accept().await.map(drop)?) });
            wait_all_tasks_blocked(0.0).await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert_eq!(b.receive_some(&mut [0; 8]).await?, 0);
        assert_eq!(d.receive_some(&mut [0; 8]).await?, 0);
        assert_eq!(receiver.receive_some(&mut [0; 8]).await?, 0);
        let Err(StreamError::Io(error)) = TcpStream::connect(address).await else { panic!("it listens") };
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_06_a_cancelled_connect_leaves_nothing() {
    terzetto::run(async {
        // A listener whose queue is full takes no more connections: attempts stay under way.
        let listener = TcpListener::bind_with_backlog(([127, 0, 0, 1], 0), 1)?;
        let mut queued = Vec::new();
        let mut stuck = false;
        for _ in 0..16 {
            let connect = async { Ok(TcpStream::connect(listener.local_addr()?).await?) };
            match move_on_after(0.05, connect).await? {
                Some(stream) => queued.push(stream),
                None => {
                    stuck = true;
                    break;
                }
            }
        }
        assert!(stuck, "the queue of a listener is not endless");
        let scope = CancelScope::new();
        scope.cancel();
        scope.run(async { Ok(TcpStream::connect(listener.local_addr()?).await.map(drop)?) }).await?;
        assert!(scope.cancelled_caught(), "connecting is a checkpoint");
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_06_unix_listeners_accept_by_path_and_leave_the_file() {
    let folder = Folder::new("unix").unwrap();
    let path = folder.0.join("socket");
    terzetto::run(async {
        let listener = UnixListener::bind(&path)?;
        assert_eq!(listener.local_addr()?.as_pathname(), Some(path.as_path()));
        nursery(async |n| {
            n.start_soon(async {
                let stream = listener.accept().await?;
                Ok(stream.send_all(b"welcome").await?)
            });
            let stream = UnixStream::connect(&path).await?;
            let mut buffer = [0; 16];
            let n = stream.receive_some(&mut buffer).await?;
            assert_eq!(&buffer[..n], b"welcome");
            assert_eq!(stream.peer_addr()?.as_pathname(), Some(path.as_path()));
            Ok(())
        })
        .await?;
        listener.close().await?;
        assert!(path.exists(), "the file is the user's");
        assert!(UnixListener::bind(&path).is_err());
        let Err(StreamError::Io(error)) = UnixStream::connect(&path).await else { panic!("it listens") };
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_06_connecting_to_a_full_unix_listener_waits_for_room() {
    let folder = Folder::new("full").unwrap();
    let path = folder.0.join("socket");
    terzetto::run(async {
        // The standard library's queue is longer than this test has patience for.
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None)?;
        socket.bind(&socket2::SockAddr::unix(&path)?)?;
        socket.listen(1)?;
        let listener = UnixListener::from_std(socket.into())?;
        nursery(async |n| {
            for _ in 0..8 {
                n.start_soon(async {
                    let stream = UnixStream::connect(&path).await?;
                    let mut buffer = [0; 1];
                    assert_eq!(stream.receive_some(&mut buffer).await?, 1);
                    Ok(())
                });
            }
            wait_all_tasks_blocked(0.002).await?;
            for _ in 0..8 {
                listener.accept().await?.send_all(b"x").await?;
            }
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sock_06_two_accepts_at_once_the_second_is_refused() {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        nursery(async |n| {
            n.start_soon(async {
                assert!(matches!(listener.accept().await, Err(StreamError::Closed)));
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            assert!(matches!(listener.accept().await, Err(StreamError::Busy(_))));
            listener.close().await?;
            assert!(matches!(listener.accept().await, Err(StreamError::Closed)));
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn sock_06_a_socket_that_does_not_listen_is_no_listener() {
    terzetto::run(async {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
        let error = TcpListener::from_std(socket.into()).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_06_udp_sends_receives_connects_and_closes() {
    terzetto::run(async {
        let home = ([127, 0, 0, 1], 0);
        let (a, b) = (UdpSocket::bind(home)?, UdpSocket::bind(home)?);
        let mut buffer = [0; 8];
        nursery(async |n| {
            n.start_soon(async {
                wait_all_tasks_blocked(0.0).await?;
                a.send_to(b"one", b.local_addr()?).await?;
                // Cut off at the receiver's buffer: that is how datagrams are.
                a.send_to(b"two and more", b.local_addr()?).await?;
                a.send_to(b"", b.local_addr()?).await?;
                Ok(())
            });
            assert_eq!(b.recv_from(&mut buffer).await?, (3, a.local_addr()?));
            assert_eq!(b.recv_from(&mut buffer).await?.0, 8);
            assert_eq!(&buffer, b"two and ");
            assert_eq!(b.recv_from(&mut buffer).await?.0, 0);
            Ok(())
        })
        .await?;
        assert!(a.peer_addr().is_err());
        a.connect(b.local_addr()?)?;
        b.connect(a.local_addr()?)?;
        assert_eq!(a.peer_addr()?, b.local_addr()?);
        a.send(b"four").await?;
        assert_eq!(b.recv(&mut buffer).await?, 4);
        // Nothing there: it waits, and can be cancelled.
        let late = move_on_after(0.01, async { Ok(b.recv(&mut [0; 8]).await?) }).await?;
        assert!(late.is_none());
        b.close().await?;
        assert!(matches!(b.recv(&mut buffer).await, Err(StreamError::Closed)));
        // The system reports that nobody was there to hear; the socket is still good.
        a.send(b"anybody?").await?;
        assert!(matches!(a.recv(&mut buffer).await, Err(StreamError::Io(_))));
        a.with_socket(|socket| socket.set_broadcast(true))?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_06_unix_datagrams_wait_for_a_full_receiver() {
    let folder = Folder::new("datagrams").unwrap();
    let path = folder.0.join("socket");
    terzetto::run(async {
        let receiver = UnixDatagram::bind(&path)?;
        let (one, two) = (UnixDatagram::unbound()?, UnixDatagram::unbound()?);
        two.connect(&path)?;
        const EACH: u32 = 500;
        nursery(async |n| {
            // Far more than the system queues; one by name and one connected.
            n.start_soon(async {
                for i in 0..EACH {
                    one.send_to(&i.to_ne_bytes(), &path).await?;
                }
                Ok(())
            });
            n.start_soon(async {
                for i in EACH..2 * EACH {
                    two.send(&i.to_ne_bytes()).await?;
                }
                Ok(())
            });
            wait_all_tasks_blocked(0.0).await?;
            let mut got = Vec::new();
            for _ in 0..2 * EACH {
                let mut datagram = [0; 4];
                assert_eq!(receiver.recv(&mut datagram).await?, 4);
                got.push(u32::from_ne_bytes(datagram));
            }
            got.sort_unstable();
            assert!(got.into_iter().eq(0..2 * EACH));
            Ok(())
        })
        .await?;
        let (a, b) = UnixDatagram::pair()?;
        a.send(b"pair").await?;
        let (n, from) = b.recv_from(&mut [0; 8]).await?;
        assert!(n == 4 && from.is_unnamed());
        a.close().await?;
        assert!(matches!(a.send(b"x").await, Err(StreamError::Closed)));
        assert_eq!(receiver.local_addr()?.as_pathname(), Some(path.as_path()));
        Ok(())
    })
    .unwrap();
}

#[test]
fn sock_06_pipes_are_made_of_any_descriptor() {
    terzetto::run(async {
        let (reader, writer) = std::io::pipe()?;
        let (sender, receiver) = (PipeSender::from_fd(writer)?, PipeReceiver::from_fd(reader)?);
        let mut std_writer = std::fs::File::from(sender.try_clone_fd()?);
        std_writer.write_all(b"std")?;
        let mut buffer = [0; 8];
        assert_eq!(receiver.receive_some(&mut buffer).await?, 3);
        // The end comes when the last descriptor is closed.
        drop(sender);
        assert!(
            move_on_after(0.01, async { Ok(receiver.receive_some(&mut [0; 8]).await?) }).await?.is_none()
        );
        drop(std_writer);
        assert_eq!(receiver.receive_some(&mut buffer).await?, 0);
        Ok(())
    })
    .unwrap();
}

#[test]
fn stream_02_data_that_comes_while_a_receive_yields_is_heard_of() {
    terzetto::run(async {
        let (a, b) = UnixStream::pair()?;
        let (got, idle) = (Cell::new(0), UnixStream::pair()?);
        let exchange = nursery(async |n| {
            // Somebody who waits, and so many tasks that the run looks at events in every tick.
            n.start_soon(async { Ok(idle.0.receive_some(&mut [0; 1]).await.map(drop)?) });
            for _ in 0..200 {
                n.start_soon(async {
                    loop {
                        checkpoint().await?;
                    }
                });
            }
            // The receiver before the sender in each tick.
            n.start_soon(async {
                for round in 0..100 {
                    for _ in 0..round % 6 {
                        checkpoint().await?;
                    }
                    while got.get() < 2 * (round + 1) {
                        // Always less than there is room for.
                        got.set(got.get() + b.receive_some(&mut [0; 64]).await?);
                    }
                }
                Ok(())
            });
            // Two bytes, so and so many ticks apart, and no more before both have come.
            for round in 0..100 {
                a.send_all(b"x").await?;
                for _ in 0..round % 7 {
                    checkpoint().await?;
                }
                a.send_all(b"y").await?;
                while got.get() < 2 * (round + 1) {
                    checkpoint().await?;
                }
            }
            n.cancel_scope().cancel();
            Ok(())
        });
        fail_after(5.0, exchange).await
    })
    .unwrap();
}

#[test]
fn sock_06_a_unix_socket_that_does_not_listen_is_no_listener() {
    terzetto::run(async {
        for kind in [socket2::Type::STREAM, socket2::Type::DGRAM] {
            let socket = socket2::Socket::new(socket2::Domain::UNIX, kind, None)?;
            let error = UnixListener::from_std(socket.into()).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        Ok(())
    })
    .unwrap();
}
