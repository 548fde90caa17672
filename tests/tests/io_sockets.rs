//! SOCK, STREAM: Unix sockets, datagrams, pipes.

use std::{
    cell::Cell,
    io::{ErrorKind, Write},
    time::{SystemTime, UNIX_EPOCH},
};
use terzetto::{
    checkpoint, fail_after,
    io::{
        Listener, PipeReceiver, PipeSender, ReceiveStream, SendStream, StreamError, TcpListener, UdpSocket,
        UnixDatagram, UnixListener, UnixStream,
    },
    move_on_after, nursery,
    testing::wait_all_tasks_blocked,
};

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
