//! What trio's own tests of sockets and names assert, where no other test here does.

use rustix::net::{
    RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags, recv, recvmsg, send, sendmsg, sendto,
};
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    cell::RefCell,
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};
use terzetto::{
    CancelScope, Error, fail_after,
    io::{
        ConnectFailed, HostnameResolver, Listener, Lookup, NameFlags, ReceiveStream, SendStream,
        SocketFactory, StreamError, TcpListener, TcpStream, UdpSocket, UnixStream, getaddrinfo, getnameinfo,
        open_tcp_stream, set_custom_hostname_resolver, set_custom_socket_factory, wait_readable,
    },
    nursery,
    testing::{assert_checkpoints, wait_all_tasks_blocked},
};

fn real<T>(main: impl Future<Output = Result<T, Error>>) -> T {
    terzetto::run(fail_after(60.0, main)).unwrap()
}

#[test]
fn trio_socket_getaddrinfo() {
    real(async {
        let of = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert_eq!(assert_checkpoints(getaddrinfo("127.0.0.1", 12345)).await?, [of("127.0.0.1:12345")]);
        assert_eq!(assert_checkpoints(getaddrinfo("::1", 12345)).await?, [of("[::1]:12345")]);
        let found = assert_checkpoints(getaddrinfo("localhost", 80)).await?;
        assert!(
            !found.is_empty() && found.iter().all(|found| found.ip().is_loopback() && found.port() == 80)
        );
        for wrong in ["", "a\0b"] {
            let error = getaddrinfo(wrong, 80).await.unwrap_err();
            assert_eq!(error.find::<io::Error>().unwrap().kind(), io::ErrorKind::InvalidInput);
        }
        let error = assert_checkpoints(getaddrinfo("no-such-host.invalid", 80)).await.unwrap_err();
        assert!(error.to_string().contains("no-such-host.invalid"), "{error}");
        Ok(())
    });
}

#[test]
fn trio_socket_getnameinfo() {
    real(async {
        let address = "127.0.0.1:1234".parse()?;
        let (host, service) = assert_checkpoints(getnameinfo(address, NameFlags::NUMERIC)).await?;
        assert_eq!((host.as_str(), service.as_str()), ("127.0.0.1", "1234"));
        let address = "127.0.0.1:80".parse()?;
        let names = getnameinfo(address, NameFlags::default()).await?;
        let host = NameFlags { numeric_host: true, ..NameFlags::default() };
        let service = NameFlags { numeric_service: true, ..NameFlags::default() };
        assert_eq!(getnameinfo(address, host).await?, ("127.0.0.1".into(), names.1));
        assert_eq!(getnameinfo(address, service).await?, (names.0, "80".into()));
        Ok(())
    });
}

/// Notes what it is asked for, and knows one host.
#[derive(Default)]
struct Table {
    asked: RefCell<Vec<String>>,
    port: u16,
    /// A resolver may hold sockets of its own, which hold the run.
    kept: RefCell<Option<TcpListener>>,
}

impl HostnameResolver for Table {
    fn getaddrinfo<'a>(&'a self, host: &'a str, port: u16) -> Lookup<'a, Vec<SocketAddr>> {
        self.asked.borrow_mut().push(format!("{host}:{port}"));
        let found = match host {
            "server" => Ok(vec![([127, 0, 0, 1], self.port).into(); 2]),
            "empty" => Ok(Vec::new()),
            _ => Err(Error::msg("unknown")),
        };
        Box::pin(async { found })
    }

    fn getnameinfo(&self, address: SocketAddr, flags: NameFlags) -> Lookup<'_, (String, String)> {
        Box::pin(async move { Ok((address.to_string(), flags.numeric_host.to_string())) })
    }
}

#[test]
fn trio_socket_custom_hostname_resolver() {
    let outside = real(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let table = Rc::new(Table { port: listener.local_addr()?.port(), ..Table::default() });
        assert!(set_custom_hostname_resolver(Some(table.clone())).is_none());
        // Each address once.
        assert_eq!(getaddrinfo("server", 7).await?, [listener.local_addr()?]);
        assert_eq!(getaddrinfo("other", 7).await.unwrap_err().to_string(), "unknown");
        assert!(getaddrinfo("empty", 7).await.is_err());
        // A number needs no look-up.
        getaddrinfo("::1", 7).await?;
        let address = "1.2.3.4:5".parse()?;
        assert_eq!(getnameinfo(address, NameFlags::NUMERIC).await?, ("1.2.3.4:5".into(), "true".into()));
        // All that takes a name asks it.
        let client = open_tcp_stream("server", 7).await?;
        let server = listener.accept().await?;
        assert_eq!(server.peer_addr()?, client.local_addr()?);
        assert_eq!(*table.asked.borrow(), ["server:7", "other:7", "empty:7", "server:7"]);
        let was = set_custom_hostname_resolver(None).unwrap();
        assert!(std::ptr::addr_eq(Rc::as_ptr(&was), Rc::as_ptr(&table)));
        assert!(getaddrinfo("server.invalid", 7).await.is_err());
        assert_eq!(table.asked.borrow().len(), 4);
        // It goes with its run, though it holds the run.
        *table.kept.borrow_mut() = Some(listener);
        set_custom_hostname_resolver(Some(table.clone()));
        Ok(table)
    });
    assert_eq!(Rc::strong_count(&outside), 1, "the run has let go of it");
}

/// Notes what sockets are asked for.
#[derive(Default)]
struct Noting(RefCell<Vec<(Domain, Type)>>);

impl SocketFactory for Noting {
    fn socket(&self, domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
        self.0.borrow_mut().push((domain, kind));
        match domain {
            Domain::IPV6 => Err(io::ErrorKind::Unsupported.into()),
            _ => Socket::new(domain, kind, protocol),
        }
    }
}

#[test]
fn trio_socket_custom_socket_factory() {
    real(async {
        let noting = Rc::new(Noting::default());
        assert!(set_custom_socket_factory(Some(noting.clone())).is_none());
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let client = TcpStream::connect(listener.local_addr()?).await?;
        client.send_all(b"x").await?;
        let server = listener.accept().await?;
        assert_eq!(server.receive_some(&mut [0; 4]).await?, 1);
        UdpSocket::bind(([127, 0, 0, 1], 0))?;
        assert!(UnixStream::connect("/nobody/listens/here").await.is_err());
        let asked = [Domain::IPV4, Domain::IPV4, Domain::IPV4, Domain::UNIX].into_iter().zip([
            Type::STREAM,
            Type::STREAM,
            Type::DGRAM,
            Type::STREAM,
        ]);
        assert_eq!(*noting.0.borrow(), Vec::from_iter(asked));
        // What it refuses is refused.
        assert_eq!(
            UdpSocket::bind("[::1]:0".parse::<SocketAddr>()?).unwrap_err().kind(),
            io::ErrorKind::Unsupported
        );
        // What is handed over it has nothing to do with.
        UnixStream::pair()?;
        assert_eq!(noting.0.borrow().len(), 5);
        assert!(set_custom_socket_factory(None).is_some());
        UdpSocket::bind(([127, 0, 0, 1], 0))?;
        assert_eq!(noting.0.borrow().len(), 5);
        Ok(())
    });
}

#[test]
fn trio_socket_send_recv_variants_of_streams() {
    real(async {
        let (a, b) = UnixStream::pair()?;
        a.send_all(b"x").await?;
        let mut buffer = [0; 10];
        let peeked = assert_checkpoints(b.receive_with(|fd| Ok(recv(fd, &mut buffer, RecvFlags::PEEK)?.0)));
        assert_eq!(peeked.await?, 1);
        assert_eq!(b.receive_some(&mut buffer).await?, 1);
        // Several buffers.
        let sent = a.send_with(|fd| {
            let parts = [IoSlice::new(b"xx"), IoSlice::new(b"x")];
            Ok(sendmsg(fd, &parts, &mut SendAncillaryBuffer::default(), SendFlags::empty())?)
        });
        assert_eq!(assert_checkpoints(sent).await?, 3);
        assert_eq!(b.receive_some(&mut buffer).await?, 3);
        // It waits, is cancelled, and is busy as other receives are.
        nursery(async |n| {
            n.start_soon(async {
                let waits = b.receive_with(|fd| Ok(recv(fd, &mut buffer, RecvFlags::empty())?.0));
                assert_eq!(waits.await?, 1);
                Ok(())
            });
            wait_all_tasks_blocked(0.02).await?;
            let busy = b.receive_with(|fd| Ok(recv(fd, &mut [0; 1], RecvFlags::empty())?.0)).await;
            assert!(matches!(busy, Err(StreamError::Busy(_))));
            Ok(a.send_all(b"y").await?)
        })
        .await?;
        let scope = CancelScope::new();
        scope.cancel();
        let cancelled = scope.run(async {
            Ok(b.receive_with(|_| -> io::Result<()> { unreachable!("it is cancelled before") }).await?)
        });
        assert!(cancelled.await?.is_none());
        drop(a);
        let failed = b.send_with(|fd| Ok(send(fd, b"x", SendFlags::NOSIGNAL)?)).await;
        assert!(matches!(failed, Err(StreamError::Io(_))), "{failed:?}");
        Ok(())
    });
}

#[test]
fn trio_socket_send_recv_variants_of_datagrams() {
    real(async {
        let (a, b) = (UdpSocket::bind(([127, 0, 0, 1], 0))?, UdpSocket::bind(([127, 0, 0, 1], 0))?);
        let target = b.local_addr()?;
        let mut buffer = [0; 10];
        assert_eq!(a.send_to(b"xxx", target).await?, 3);
        assert_eq!(b.recv_from(&mut buffer).await?, (3, a.local_addr()?));
        #[cfg(target_os = "linux")]
        {
            for part in [b"xxx", b"yyy"] {
                a.send_with(|fd| Ok(sendto(fd, part, SendFlags::MORE, &target)?)).await?;
            }
            a.send_to(b"zzz", target).await?;
            assert_eq!(b.recv(&mut buffer).await?, 9);
            assert_eq!(&buffer[..9], b"xxxyyyzzz");
        }
        a.send_to(b"xyzw", target).await?;
        let (mut first, mut second) = ([0; 2], [0; 3]);
        let received = b.receive_with(|fd| {
            let parts = &mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            let mut space = [MaybeUninit::uninit(); 64];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let received = recvmsg(fd, parts, &mut ancillary, RecvFlags::empty())?;
            Ok((received.bytes, received.flags.bits()))
        });
        assert_eq!(received.await?, (4, 0));
        assert_eq!((&first, &second), (b"xy", b"zw\0"));
        // What does not fit is told by a flag.
        a.send_to(b"xyzw", target).await?;
        let received = b.receive_with(|fd| {
            let parts = &mut [IoSliceMut::new(&mut first)];
            let received = recvmsg(fd, parts, &mut RecvAncillaryBuffer::default(), RecvFlags::empty())?;
            Ok((received.bytes, received.flags.contains(rustix::net::ReturnFlags::TRUNC)))
        });
        assert_eq!(received.await?, (2, true));
        // Connected.
        a.connect(target)?;
        a.send(b"xxx").await?;
        a.send(b"yyyy").await?;
        assert_eq!((b.recv(&mut buffer).await?, b.recv(&mut buffer).await?), (3, 4));
        Ok(())
    });
}

#[test]
fn trio_socket_is_readable() {
    real(async {
        let (a, b) = UnixStream::pair()?;
        assert!(!a.is_readable()?);
        b.send_all(b"x").await?;
        wait_readable(a.try_clone_fd()?).await?;
        assert!(a.is_readable()?);
        a.receive_some(&mut [0; 4]).await?;
        assert!(!a.is_readable()?);
        drop(b);
        assert!(a.is_readable()?, "the end is something to receive");
        a.close().await?;
        assert!(matches!(a.is_readable(), Err(StreamError::Closed)));
        Ok(())
    });
}

#[test]
fn trio_socket_dup() {
    real(async {
        let (a, b) = UnixStream::pair()?;
        let again = UnixStream::from_std(a.try_clone_fd()?.into())?;
        a.close().await?;
        again.send_all(b"x").await?;
        assert_eq!(b.receive_some(&mut [0; 4]).await?, 1);
        Ok(())
    });
}

#[test]
fn trio_socket_address_in_socket_error() {
    real(async {
        // Nobody listens here any more.
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let address = listener.local_addr()?;
        listener.close().await?;
        let error = open_tcp_stream("127.0.0.1", address.port()).await.unwrap_err();
        let failed = error.downcast_ref::<ConnectFailed>().unwrap();
        assert!(failed.attempts().to_string().contains(&address.to_string()), "{failed:?}");
        Ok(())
    });
}

#[test]
fn trio_socket_many_sockets() {
    real(async {
        let mut sockets = Vec::new();
        for _ in 0..200 {
            match std::os::unix::net::UnixStream::pair() {
                Ok((a, b)) => sockets.extend([a, b]),
                Err(_) => break,
            }
        }
        nursery(async |n| {
            for socket in &sockets {
                n.start_soon(async move { Ok(wait_readable(socket).await?) });
            }
            wait_all_tasks_blocked(0.0).await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    });
}

#[test]
fn trio_socket_stream_works_when_peer_has_already_closed() {
    real(async {
        let (a, b) = std::os::unix::net::UnixStream::pair()?;
        b.set_write_timeout(Some(Duration::from_secs(1)))?;
        io::Write::write_all(&mut &b, b"x")?;
        drop(b);
        let stream = UnixStream::from_std(a)?;
        let mut buffer = [0; 1];
        assert_eq!((stream.receive_some(&mut buffer).await?, buffer), (1, *b"x"));
        assert_eq!(stream.receive_some(&mut buffer).await?, 0);
        Ok(())
    });
}
