//! TEST-05, STREAM and SOCK-06 on real descriptors: the suites, options, pipes.

use std::io::{ErrorKind, Read, Write};
use terzetto::{
    CancelScope, Error, fail_after,
    io::{
        HalfCloseableStream, Listener, ReceiveStream, SendStream, StreamError, TcpListener, TcpStream,
        UnixStream, pipe,
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
