//! TLS: the suites, and trio's rules for the end of a stream.

mod tls_configs;

use rustls::{
    pki_types::ServerName,
    version::{TLS12, TLS13},
};
use std::io::ErrorKind;
use terzetto::{
    CancelScope, Error,
    compat::tls::{TlsListener, TlsStream, open_tls_over_tcp_stream},
    fail_after,
    io::{
        Listener, ReceiveStream, SendStream, Stream, StreamError, TcpListener, open_tcp_listeners,
        serve_listeners,
    },
    move_on_after, nursery,
    testing::{
        assert_checkpoints, check_clogged_stream, check_two_way_stream, lockstep_stream_pair,
        memory_stream_pair, wait_all_tasks_blocked,
    },
};
use terzetto_tests::run_mock;
use tls_configs::{Configs, configs};

fn both_ends<S: Stream>(
    configs: &Configs,
    transports: (S, S),
) -> Result<(TlsStream<S>, TlsStream<S>), Error> {
    let name = ServerName::try_from("localhost")?;
    let client = TlsStream::client(configs.0.clone(), name, transports.0)?;
    Ok((client, TlsStream::server(configs.1.clone(), transports.1)?))
}

/// Does the handshake at both ends.
async fn shake_hands<S: Stream>(
    pair: (TlsStream<S>, TlsStream<S>),
) -> Result<(TlsStream<S>, TlsStream<S>), Error> {
    nursery(async |n| {
        n.start_soon(async { Ok(pair.0.handshake().await?) });
        Ok(assert_checkpoints(pair.1.handshake()).await?)
    })
    .await?;
    Ok(pair)
}

#[test]
fn test_05_the_suites_pass_on_tls_over_streams_in_memory() {
    for version in [&TLS12, &TLS13] {
        let configs = configs(&[version]).unwrap();
        run_mock(async {
            let shaken = async || shake_hands(both_ends(&configs, memory_stream_pair())?).await;
            check_two_way_stream(shaken).await?;
            check_two_way_stream(async || shaken().await.map(|(client, server)| (server, client))).await?;
            // The handshake with the first use.
            check_two_way_stream(async || both_ends(&configs, memory_stream_pair())).await?;
            check_two_way_stream(async || {
                let (client, server) = both_ends(&configs, memory_stream_pair())?;
                Ok((client.https_compatible(true), server.https_compatible(true)))
            })
            .await
        })
        .unwrap();
    }
}

#[test]
fn test_05_the_suites_pass_on_tls_over_a_transport_that_holds_nothing() {
    for version in [&TLS12, &TLS13] {
        let configs = configs(&[version]).unwrap();
        run_mock(async {
            // No farewells: nobody would take them.
            let clogged = async || {
                let (client, server) = both_ends(&configs, lockstep_stream_pair())?;
                shake_hands((client.https_compatible(true), server.https_compatible(true))).await
            };
            check_clogged_stream(clogged).await?;
            check_clogged_stream(async || clogged().await.map(|(client, server)| (server, client))).await
        })
        .unwrap();
    }
}

#[test]
fn compat_05_a_stream_that_is_cut_is_broken_unless_it_is_the_webs() {
    let configs = configs(&[&TLS13]).unwrap();
    run_mock(async {
        for https in [false, true] {
            let (client, server) = both_ends(&configs, memory_stream_pair())?;
            let (client, server) =
                shake_hands((client.https_compatible(https), server.https_compatible(https))).await?;
            server.send_all(b"some").await?;
            // No farewell.
            server.get_ref().close().await?;
            let mut buffer = [0; 16];
            assert_eq!(client.receive_some(&mut buffer).await?, 4);
            for _again in 0..2 {
                let outcome = client.receive_some(&mut buffer).await;
                match https {
                    true => assert_eq!(outcome?, 0),
                    false => {
                        let Err(StreamError::Broken(Some(error))) = outcome else {
                            panic!("got {outcome:?}")
                        };
                        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
                    }
                }
            }
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_05_a_farewell_ends_the_stream_and_is_not_waited_for() {
    let configs = configs(&[&TLS12, &TLS13]).unwrap();
    run_mock(async {
        let (client, server) = shake_hands(both_ends(&configs, memory_stream_pair())?).await?;
        client.send_all(b"last").await?;
        assert_checkpoints(client.close()).await?;
        let mut buffer = [0; 16];
        assert_eq!(server.receive_some(&mut buffer).await?, 4);
        assert_eq!(server.receive_some(&mut buffer).await?, 0);
        assert_eq!(server.receive_some(&mut buffer).await?, 0);
        server.close().await?;
        // As the web does it: no farewell is sent.
        let (client, server) = both_ends(&configs, memory_stream_pair())?;
        let (client, server) = shake_hands((client.https_compatible(true), server)).await?;
        client.close().await?;
        assert!(matches!(server.receive_some(&mut buffer).await, Err(StreamError::Broken(Some(_)))));
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_05_closing_before_the_handshake_is_a_clean_end_for_the_other_side() {
    let configs = configs(&[&TLS13]).unwrap();
    run_mock(async {
        let (client, server) = both_ends(&configs, memory_stream_pair())?;
        nursery(async |n| {
            n.start_soon(async { Ok(assert_checkpoints(client.close()).await?) });
            assert_eq!(server.receive_some(&mut [0; 16]).await?, 0);
            Ok(server.close().await?)
        })
        .await?;
        assert!(matches!(client.handshake().await, Err(StreamError::Closed)));
        // As the web does it, and by force, nobody is waited for.
        let (client, server) = both_ends(&configs, memory_stream_pair())?;
        client.https_compatible(true).close().await?;
        let error = server.handshake().await.unwrap_err();
        assert!(matches!(error, StreamError::Broken(Some(_))), "{error}");
        let (client, server) = both_ends(&configs, memory_stream_pair())?;
        let scope = CancelScope::new();
        scope.cancel();
        scope.run(async { Ok(client.close().await?) }).await?;
        assert!(matches!(server.handshake().await, Err(StreamError::Broken(Some(_)))));
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_05_a_server_that_is_not_trusted_is_refused_and_both_know_why() {
    let (client, _) = configs(&[&TLS13]).unwrap();
    let (_, server) = configs(&[&TLS13]).unwrap();
    run_mock(async {
        let (client, server) = both_ends(&(client, server), memory_stream_pair())?;
        nursery(async |n| {
            n.start_soon(async {
                let error = client.send_all(b"secret").await.unwrap_err();
                assert!(error.to_string().contains("invalid peer certificate"), "{error}");
                assert!(matches!(client.send_all(b"x").await, Err(StreamError::Broken(_))));
                Ok(())
            });
            let error = server.receive_some(&mut [0; 8]).await.unwrap_err();
            assert!(error.to_string().contains("received fatal alert"), "{error}");
            Ok(())
        })
        .await?;
        // The right authority and another name.
        let configs = configs(&[&TLS13])?;
        let (here, there) = memory_stream_pair();
        let client = TlsStream::client(configs.0, ServerName::try_from("example.org")?, here)?;
        let server = TlsStream::server(configs.1, there)?;
        nursery(async |n| {
            n.start_soon(async {
                assert!(server.handshake().await.is_err());
                Ok(())
            });
            let error = client.handshake().await.unwrap_err();
            assert!(error.to_string().contains("not valid for name"), "{error}");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_05_what_is_no_tls_is_broken() {
    let configs = configs(&[&TLS13]).unwrap();
    run_mock(async {
        let (here, there) = memory_stream_pair();
        let server = TlsStream::server(configs.1.clone(), there)?;
        here.send_all(b"GET / HTTP/1.1\r\n\r\n").await?;
        assert!(matches!(server.handshake().await, Err(StreamError::Broken(Some(_)))));
        assert!(matches!(server.send_all(b"x").await, Err(StreamError::Broken(_))));
        server.close().await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_05_a_send_cut_short_breaks_the_stream_a_receive_does_not() {
    let configs = configs(&[&TLS13]).unwrap();
    run_mock(async {
        let (client, server) = shake_hands(both_ends(&configs, lockstep_stream_pair())?).await?;
        let receive = async { Ok(client.receive_some(&mut [0; 8]).await?) };
        assert!(move_on_after(1.0, receive).await?.is_none());
        nursery(async |n| {
            n.start_soon(async { Ok(server.send_all(b"fine").await?) });
            assert_eq!(client.receive_some(&mut [0; 8]).await?, 4);
            Ok(())
        })
        .await?;
        let send = async { Ok(client.send_all(b"nobody takes it").await?) };
        assert!(move_on_after(1.0, send).await?.is_none());
        assert!(matches!(client.send_all(b"more").await, Err(StreamError::Broken(_))));
        let scope = CancelScope::new();
        scope.cancel();
        // Closing when cancelled closes, without a farewell.
        scope.run(async { Ok(server.close().await?) }).await?;
        assert!(scope.cancelled_caught());
        assert!(matches!(server.send_all(b"x").await, Err(StreamError::Closed)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_05_a_handshake_is_done_once_though_two_tasks_begin_it() {
    let configs = configs(&[&TLS13]).unwrap();
    run_mock(async {
        let (client, server) = both_ends(&configs, lockstep_stream_pair())?;
        nursery(async |n| {
            for stream in [&client, &server] {
                n.start_soon(async { Ok(stream.send_all(b"hello").await?) });
                n.start_soon(async {
                    let mut buffer = [0; 8];
                    assert_eq!(stream.receive_some(&mut buffer).await?, 5);
                    Ok(())
                });
            }
            wait_all_tasks_blocked(0.0).await?;
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_05_a_server_over_tcp_encrypts_each_connection() {
    let configs = configs(&[&TLS12, &TLS13]).unwrap();
    terzetto::run(async {
        let echo = async |stream: TlsStream<_>| {
            let mut buffer = vec![0; 8192];
            loop {
                match stream.receive_some(&mut buffer).await? {
                    0 => return Ok(stream.close().await?),
                    n => stream.send_all(&buffer[..n]).await?,
                }
            }
        };
        nursery(async |n| {
            let listeners: Vec<TcpListener> = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
            let port = listeners[0].local_addr()?.port();
            let listeners: Vec<_> =
                listeners.into_iter().map(|l| TlsListener::new(l, configs.1.clone())).collect();
            n.start(async |status| serve_listeners(listeners, echo, status).await).await?;
            // One that never shakes hands keeps nobody waiting.
            let _dawdler = terzetto::io::open_tcp_stream("127.0.0.1", port).await?;
            nursery(async |clients| {
                for number in 0..8u8 {
                    let config = configs.0.clone();
                    clients.start_soon(async move {
                        let stream = open_tls_over_tcp_stream("localhost", port, config).await?;
                        stream.handshake().await?;
                        let version = stream.with_connection(|connection| connection.protocol_version());
                        assert_eq!(version, Some(rustls::ProtocolVersion::TLSv1_3));
                        let data = vec![number; 300_000];
                        nursery(async |n| {
                            n.start_soon(async { Ok(stream.send_all(&data).await?) });
                            let (mut got, mut buffer) = (0, vec![0; 8192]);
                            while got < data.len() {
                                let n = stream.receive_some(&mut buffer).await?;
                                assert!(n > 0 && buffer[..n].iter().all(|&byte| byte == number));
                                got += n;
                            }
                            Ok(())
                        })
                        .await?;
                        Ok(stream.close().await?)
                    });
                }
                Ok(())
            })
            .await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_05_listeners_close_what_is_below() {
    let configs = configs(&[&TLS13]).unwrap();
    terzetto::run(async {
        let listener = TlsListener::new(TcpListener::bind(([127, 0, 0, 1], 0))?, configs.1.clone());
        assert!(listener.get_ref().local_addr().is_ok());
        listener.close().await?;
        assert!(matches!(listener.accept().await, Err(StreamError::Closed)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn stream_03_closing_again_after_a_close_that_was_dropped_closes_the_transport() {
    let configs = configs(&[&TLS13]).unwrap();
    run_mock(async {
        let (client, server) = shake_hands(both_ends(&configs, memory_stream_pair())?).await?;
        // Dropped while it says farewell.
        assert!(futures_util::poll!(std::pin::pin!(client.close())).is_pending());
        client.close().await?;
        assert!(matches!(client.get_ref().send_all(b"x").await, Err(StreamError::Closed)));
        drop(server);
        Ok(())
    })
    .unwrap();
}

#[test]
fn stream_02_a_receive_that_is_dropped_while_others_run_has_taken_nothing() {
    let configs = configs(&[&TLS13]).unwrap();
    run_mock(async {
        let (client, server) = shake_hands(both_ends(&configs, memory_stream_pair())?).await?;
        client.send_all(b"hello").await?;
        let mut buffer = [0; 8];
        assert_eq!(server.receive_some(&mut buffer[..1]).await?, 1);
        // The rest is here already.
        assert!(futures_util::poll!(std::pin::pin!(server.receive_some(&mut buffer))).is_pending());
        let rest = async { Ok(assert_checkpoints(server.receive_some(&mut buffer)).await?) };
        let n = fail_after(5.0, rest).await?;
        assert_eq!(&buffer[..n], b"ello");
        Ok(())
    })
    .unwrap();
}
