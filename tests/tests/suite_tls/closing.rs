//! Ends, good and bad.

use super::*;
use std::{cell::Cell, io::ErrorKind, rc::Rc};
use terzetto::{
    io::{ReceiveStream, SendStream, StreamError, close_forcefully},
    testing::assert_checkpoints,
};
use terzetto_tests::run_mock;

fn is_cut_off<T>(outcome: Result<T, StreamError>) -> bool {
    matches!(outcome, Err(StreamError::Broken(Some(error))) if error.kind() == ErrorKind::UnexpectedEof)
}

fn is_broken<T>(outcome: Result<T, StreamError>) -> bool {
    matches!(outcome, Err(StreamError::Broken(_)))
}

fn is_closed<T>(outcome: Result<T, StreamError>) -> bool {
    matches!(outcome, Err(StreamError::Closed))
}

#[test]
fn trio_ssl_closing_nice_case() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = fresh(&configs)?;
        nursery(async |n| {
            n.start_soon(async { Ok(assert_checkpoints(client.close()).await?) });
            for _again in 0..2 {
                assert_eq!(server.receive_some(&mut [0; 10]).await?, 0);
            }
            Ok(assert_checkpoints(server.close()).await?)
        })
        .await?;
        // The transport is closed with it.
        assert!(is_closed(client.get_ref().send_all(b"123").await));
        for _again in 0..2 {
            assert_checkpoints(client.close()).await?;
        }
        assert!(is_closed(server.send_all(b"123").await));
        assert!(is_closed(client.receive_some(&mut [0; 10]).await));
        assert!(is_closed(client.handshake().await));
        assert!(is_closed(client.into_transport().await.map(drop)));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_bad_shutdown() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = shaken(fresh(&configs)?).await?;
        close_forcefully(&client).await?;
        assert!(is_cut_off(server.receive_some(&mut [0; 10]).await));
        assert!(is_broken(server.send_all(&[b'x'; 10]).await));
        // Nobody is asked for a farewell.
        server.close().await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_truncation_breaks_sending_though_the_transport_would_take_it() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = shaken(fresh(&configs)?).await?;
        // One direction ends; the other goes on.
        client.get_ref().send_stream.close().await?;
        assert!(is_cut_off(server.receive_some(&mut [0; 10]).await));
        assert!(is_cut_off(server.send_all(b"x").await));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_bad_shutdown_but_its_ok() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = shaken(web(fresh(&configs)?)).await?;
        close_forcefully(&client).await?;
        for _again in 0..2 {
            assert_eq!(server.receive_some(&mut [0; 10]).await?, 0);
        }
        assert!(is_broken(server.send_all(&[b'x'; 10]).await));
        server.close().await?;
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_handshake_failure_during_aclose() {
    // They do not trust each other.
    let (client, server) = (configs(&[]).0, configs(&[]).1);
    run_mock(async {
        let (client, server) = fresh(&(client, server))?;
        nursery(async |n| {
            n.start_soon(async {
                assert!(is_broken(server.handshake().await));
                Ok(())
            });
            assert!(is_broken(client.close().await));
            Ok(())
        })
        .await?;
        assert!(is_closed(client.get_ref().send_all(b"x").await));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_only_closes_stream_once() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, _server) = shaken(fresh(&configs)?).await?;
        let closes = Rc::new(Cell::new(0));
        let count = closes.clone();
        client.get_ref().send_stream.on_close(move || count.set(count.get() + 1));
        client.close().await?;
        assert_eq!(closes.get(), 1);
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_https_compatibility_disagreement() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = fresh(&configs)?;
        let (client, server) = shaken((client.https_compatible(true), server)).await?;
        nursery(async |n| {
            n.start_soon(async { Ok(client.close().await?) });
            assert!(is_cut_off(server.receive_some(&mut [0; 10]).await));
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn trio_ssl_https_mode_eof_before_handshake() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = web(fresh(&configs)?);
        nursery(async |n| {
            n.start_soon(async { Ok(client.close().await?) });
            assert_eq!(server.receive_some(&mut [0; 10]).await?, 0);
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn trio_ssl_send_error_during_handshake() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, _server) = fresh(&configs)?;
        client.get_ref().send_stream.on_send(async || Err(StreamError::Busy("a mistake")));
        assert!(matches!(client.handshake().await, Err(StreamError::Busy("a mistake"))));
        assert!(is_broken(client.handshake().await));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_receive_error_during_handshake() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = fresh(&configs)?;
        client.get_ref().receive_stream.on_receive(async |_| Err(StreamError::Busy("a mistake")));
        nursery(async |n| {
            n.start_soon(async { Ok(server.handshake().await?) });
            assert!(matches!(client.handshake().await, Err(StreamError::Busy("a mistake"))));
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert!(is_broken(client.handshake().await));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_send_all_fails_in_the_middle() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, _server) = shaken(fresh(&configs)?).await?;
        let transport = client.get_ref();
        transport.send_stream.on_send(async || Err(StreamError::Busy("a mistake")));
        assert!(matches!(client.send_all(b"x").await, Err(StreamError::Busy("a mistake"))));
        assert!(is_broken(client.wait_send_all_might_not_block().await));
        let closes = Rc::new(Cell::new(0));
        for on_close in [0, 1] {
            let count = closes.clone();
            let close = move || count.set(count.get() + 1);
            match on_close {
                0 => transport.send_stream.on_close(close),
                _ => transport.receive_stream.on_close(close),
            }
        }
        client.close().await?;
        assert_eq!(closes.get(), 2);
        Ok(())
    })
    .unwrap();
}
