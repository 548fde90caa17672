use crate::{ECONNREFUSED, ENETUNREACH, ETIMEDOUT, code, receive_all, simulated};
use terzetto::{
    Error, TaskStatus, current_time, fail_after,
    io::{
        HalfCloseableStream, Listener, ReceiveStream, SendStream, StreamError, TcpListener, TcpStream,
        open_tcp_listeners, open_tcp_stream, serve_tcp,
    },
    move_on_after, nursery, sleep,
    testing::{assert_checkpoints, check_half_closeable_stream, net::Link},
};

const ANY: [u8; 4] = [0, 0, 0, 0];

async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut buffer = [0; 4096];
    loop {
        match stream.receive_some(&mut buffer).await? {
            0 => return Ok(()),
            n => stream.send_all(&buffer[..n]).await?,
        }
    }
}

#[test]
fn net_01_an_unmodified_server_and_client_talk_by_name() -> Result<(), Error> {
    simulated(1, async |network| {
        nursery(async |n| {
            let server = network.host("server");
            n.start_soon(async move { server.run(serve_tcp(7, None, echo, TaskStatus::ignored())).await });
            network
                .host("client")
                .run(async {
                    sleep(1.0).await?;
                    let stream = open_tcp_stream("server", 7).await?;
                    assert_eq!(stream.peer_addr()?.ip(), network.host("server").address());
                    assert_eq!(stream.local_addr()?.ip(), network.host("client").address());
                    stream.send_all(b"hello").await?;
                    stream.send_eof().await?;
                    assert_eq!(receive_all(&stream).await?, b"hello");
                    Ok(())
                })
                .await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}

#[test]
fn net_02_the_time_is_that_of_latency_and_bandwidth() -> Result<(), Error> {
    simulated(1, async |network| {
        network.set_link(Link::new().latency(0.1..=0.1).bandwidth(1000.0));
        let listener = TcpListener::bind((ANY, 80))?;
        let connect = async |client: &str| network.host(client).run(open_tcp_stream("main", 80)).await;
        let begun = current_time();
        let client = connect("client").await?;
        // Two packets of 40 bytes, one each way.
        assert!((current_time() - begun - 0.28).abs() < 1e-9, "{}", current_time() - begun);
        let server = listener.accept().await?;
        let begun = current_time();
        client.send_all(&[7; 960]).await?;
        assert!(current_time() - begun < 1e-9, "sending does not wait for the network");
        let mut received = 0;
        while received < 960 {
            received += server.receive_some(&mut [0; 4096]).await?;
        }
        // A thousand bytes with the header.
        assert!((current_time() - begun - 1.1).abs() < 1e-9, "{}", current_time() - begun);
        Ok(())
    })
}

#[test]
fn net_03_loss_is_delay_and_no_byte_is_lost_or_out_of_order() -> Result<(), Error> {
    for seed in 0..20 {
        simulated(seed, async |network| {
            network.set_link(Link::new().latency(0.001..=0.1).loss(0.3));
            let listener = TcpListener::bind((ANY, 80))?;
            let sent: Vec<u8> = (0..200_000_u32).map(|i| (i % 251) as u8).collect();
            nursery(async |n| {
                let client = network.host("client");
                let data = &sent;
                n.start_soon(async move {
                    client
                        .run(async {
                            let stream = open_tcp_stream("main", 80).await?;
                            stream.send_all(data).await?;
                            Ok(stream.send_eof().await?)
                        })
                        .await
                });
                let server = listener.accept().await?;
                assert_eq!(receive_all(&server).await?, sent);
                Ok(())
            })
            .await?;
            assert!(current_time() > 0.2, "some packet was sent again");
            assert!(network.report().all_happened().is_ok());
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn net_04_a_full_window_makes_the_sender_wait() -> Result<(), Error> {
    simulated(1, async |network| {
        let listener = TcpListener::bind((ANY, 80))?;
        let client = network.host("client").run(open_tcp_stream("main", 80)).await?;
        let server = listener.accept().await?;
        let blocked = move_on_after(60.0, async { Ok(client.send_all(&[1; 100_000]).await?) }).await?;
        assert!(blocked.is_none());
        let mut buffer = vec![0; 65_536];
        assert_eq!(server.receive_some(&mut buffer).await?, 65_536);
        let room = fail_after(1.0, async { Ok(client.wait_send_all_might_not_block().await?) });
        room.await
    })
}

#[test]
fn net_05_a_port_without_listener_refuses_and_an_unknown_address_is_unreachable() -> Result<(), Error> {
    simulated(1, async |network| {
        let server = network.host("server");
        let refused = TcpStream::connect((server.address(), 9)).await.unwrap_err();
        assert_eq!(code(&refused), Some(ECONNREFUSED));
        assert!((current_time() - 0.002).abs() < 1e-9);
        let nowhere = TcpStream::connect(([1, 2, 3, 4], 9)).await.unwrap_err();
        assert_eq!(code(&nowhere), Some(ENETUNREACH));
        let unknown = open_tcp_stream("nobody", 9).await.unwrap_err();
        assert!(unknown.to_string().contains("no host \"nobody\""), "{unknown}");
        Ok(())
    })
}

#[test]
fn net_06_a_host_that_is_down_does_not_answer_and_the_client_gives_up() -> Result<(), Error> {
    simulated(1, async |network| {
        let server = network.host("server");
        server.crash();
        let error = TcpStream::connect((server.address(), 9)).await.unwrap_err();
        assert_eq!(code(&error), Some(ETIMEDOUT));
        assert!((current_time() - 127.0).abs() < 1e-9, "{}", current_time());
        Ok(())
    })
}

#[test]
fn net_07_a_cancelled_attempt_to_connect_leaves_nothing_and_a_listener_with_a_full_queue_is_asked_again()
-> Result<(), Error> {
    simulated(1, async |network| {
        let listener = TcpListener::bind_with_backlog((ANY, 80), 1)?;
        let client = network.host("client");
        let connect = async || client.run(open_tcp_stream("main", 80)).await;
        let _first = connect().await?;
        assert!(move_on_after(0.5, connect()).await?.is_none(), "the queue is full");
        nursery(async |n| {
            n.start_soon(async {
                sleep(1.5).await?;
                let first = listener.accept().await?;
                let second = listener.accept().await?;
                assert_ne!(first.peer_addr()?, second.peer_addr()?);
                Ok(())
            });
            let begun = current_time();
            let _second = connect().await?;
            // The request is made again after one second and after three.
            assert!((current_time() - begun - 3.002).abs() < 1e-9, "{}", current_time() - begun);
            Ok(())
        })
        .await
    })
}

#[test]
fn net_08_each_direction_ends_by_itself_and_closing_with_unread_data_resets() -> Result<(), Error> {
    simulated(1, async |network| {
        let listener = TcpListener::bind((ANY, 80))?;
        let client = network.host("client");
        let connect = async || client.run(open_tcp_stream("main", 80)).await;
        let (one, other) = (connect().await?, listener.accept().await?);
        one.send_eof().await?;
        assert!(matches!(one.send_all(b"x").await, Err(StreamError::Closed)));
        assert_eq!(other.receive_some(&mut [0; 1]).await?, 0);
        other.send_all(b"still open").await?;
        other.close().await?;
        assert_eq!(receive_all(&one).await?, b"still open");

        let (one, other) = (connect().await?, listener.accept().await?);
        one.send_all(b"not read").await?;
        sleep(1.0).await?;
        other.close().await?;
        sleep(1.0).await?;
        assert!(matches!(one.receive_some(&mut [0; 1]).await, Err(StreamError::Broken(Some(_)))));
        assert!(matches!(one.send_all(b"x").await, Err(StreamError::Broken(Some(_)))));
        Ok(())
    })
}

#[test]
fn net_09_addresses_in_use_loopback_free_ports_and_both_families() -> Result<(), Error> {
    simulated(1, async |network| {
        let listeners = open_tcp_listeners(80, None, None).await?;
        assert_eq!(listeners.len(), 2);
        assert_eq!(TcpListener::bind((ANY, 80)).unwrap_err().kind(), std::io::ErrorKind::AddrInUse);
        assert_eq!(
            TcpListener::bind(([10, 9, 9, 9], 81)).unwrap_err().kind(),
            std::io::ErrorKind::AddrNotAvailable
        );
        let free = TcpListener::bind((ANY, 0))?;
        assert_ne!(free.local_addr()?.port(), 0);
        let stream = open_tcp_stream("localhost", 80).await?;
        assert!(stream.peer_addr()?.ip().is_loopback());
        // Another host's loopback is its own.
        let elsewhere = network.host("other").run(open_tcp_stream("localhost", 80)).await;
        assert!(elsewhere.is_err());
        drop(listeners);
        TcpListener::bind((ANY, 80))?;
        let six = "fd00::7".parse()?;
        network.host("main").add_address(six);
        network.host("other").add_address("fd00::8".parse()?);
        let listener = TcpListener::bind((six, 80))?;
        let client = network.host("other").run(async { Ok(TcpStream::connect((six, 80)).await?) }).await?;
        assert_eq!(listener.accept().await?.peer_addr()?, client.local_addr()?);
        Ok(())
    })
}

#[test]
fn net_10_simulated_streams_keep_the_rules_of_all_streams() -> Result<(), Error> {
    simulated(1, async |_network| {
        let make = async || {
            let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
            let client = TcpStream::connect(listener.local_addr()?).await?;
            Ok::<_, Error>((client, listener.accept().await?))
        };
        check_half_closeable_stream(make).await
    })
}

#[test]
fn net_11_every_operation_is_a_checkpoint_and_options_are_remembered() -> Result<(), Error> {
    simulated(1, async |_network| {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let client = assert_checkpoints(TcpStream::connect(listener.local_addr()?)).await?;
        let server = assert_checkpoints(listener.accept()).await?;
        assert_checkpoints(client.send_all(b"x")).await?;
        sleep(1.0).await?;
        assert!(server.is_readable()?);
        assert_checkpoints(server.receive_some(&mut [0; 1])).await?;
        assert!(!server.is_readable()?);
        assert!(client.nodelay()?);
        client.with_socket(|socket| socket.set_keepalive(true))?;
        assert!(client.with_socket(|socket| socket.keepalive())?);
        let error = client.try_clone_fd().unwrap_err();
        assert!(error.to_string().contains("no descriptor"), "{error}");
        Ok(())
    })
}
