//! The bare transport, streams over streams, and what is known of a connection.

use super::*;
use std::rc::Rc;
use terzetto::{
    compat::tls::{open_tls_over_tcp_stream, serve_tls_over_tcp},
    fail_after,
    io::{ReceiveStream, SendStream, StreamError},
    testing::{memory_stream_pair, memory_stream_pump},
};
use terzetto_tests::run_mock;

async fn receive(stream: &impl ReceiveStream) -> Result<Vec<u8>, StreamError> {
    let mut buffer = [0; 64];
    let n = stream.receive_some(&mut buffer).await?;
    Ok(buffer[..n].to_vec())
}

#[test]
fn trio_ssl_unwrap() {
    let configs = configs(&[]);
    run_mock(async {
        let (here, there) = memory_stream_pair();
        let (here, there) = (Rc::new(here), Rc::new(there));
        let (client, server) = shaken(over(&configs, (here.clone(), there.clone()))?).await?;
        nursery(async |n| {
            n.start_soon(async {
                client.send_all(b"x").await?;
                assert_eq!(receive(&client).await?, b"y");
                client.send_all(b"z").await?;
                assert_eq!(receive(&client).await?, b"", "the server's farewell");
                // What goes over the wire from now on is held back.
                here.send_stream.on_send(async || Ok(()));
                let (transport, trailing) = client.into_transport().await?;
                assert!(Rc::ptr_eq(&transport, &here));
                assert_eq!(trailing, b"");
                transport.send_all(b"trailing").await?;
                // The farewell and what comes after it arrive in one piece.
                assert!(memory_stream_pump(&here.send_stream, &there.receive_stream, usize::MAX)?);
                Ok(())
            });
            assert_eq!(receive(&server).await?, b"x");
            server.send_all(b"y").await?;
            assert_eq!(receive(&server).await?, b"z");
            let (transport, trailing) = server.into_transport().await?;
            assert!(Rc::ptr_eq(&transport, &there));
            assert_eq!(trailing, b"trailing");
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn a_transport_is_not_given_back_over_data_that_nobody_has_received() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = shaken(fresh(&configs)?).await?;
        client.send_all(b"unread").await?;
        let error = server.into_transport().await.map(drop).unwrap_err();
        assert!(error.to_string().contains("nobody has received"), "{error}");
        // Nor if the other side goes without a farewell.
        let (client, server) = shaken(fresh(&configs)?).await?;
        client.get_ref().send_stream.close().await?;
        assert!(matches!(server.into_transport().await.map(drop), Err(StreamError::Broken(Some(_)))));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_over_ssl() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = over(&configs, fresh(&configs)?)?;
        nursery(async |n| {
            n.start_soon(async {
                client.send_all(b"hi").await?;
                assert_eq!(receive(&client).await?, b"bye");
                Ok(())
            });
            assert_eq!(receive(&server).await?, b"hi");
            Ok(server.send_all(b"bye").await?)
        })
        .await
    })
    .unwrap();
}

#[test]
fn trio_ssl_selected_alpn_protocol() {
    run_mock(async {
        for (protocols, agreed) in [(&[][..], None), (&["h2", "http/1.1"][..], Some(b"h2".to_vec()))] {
            let (client, server) = fresh(&configs(protocols))?;
            for stream in [&client, &server] {
                assert_eq!(stream.alpn_protocol(), Err(rustls::Error::HandshakeNotComplete));
            }
            let (client, server) = shaken((client, server)).await?;
            assert_eq!((client.alpn_protocol()?, server.alpn_protocol()?), (agreed.clone(), agreed));
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_get_channel_binding() {
    let configs = configs(&[]);
    run_mock(async {
        let mut bindings = Vec::new();
        for _connection in 0..2 {
            let (client, server) = fresh(&configs)?;
            for stream in [&client, &server] {
                assert_eq!(stream.channel_binding(), Err(rustls::Error::HandshakeNotComplete));
            }
            let (client, server) = shaken((client, server)).await?;
            assert_eq!(client.channel_binding()?, server.channel_binding()?);
            bindings.push(client.channel_binding()?);
        }
        assert_ne!(bindings[0], bindings[1], "each connection has its own");
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_getpeercert() {
    let configs = configs(&[]);
    run_mock(async {
        let (client, server) = shaken(fresh(&configs)?).await?;
        let certificates =
            client.with_connection(|connection| connection.peer_certificates().map(<[_]>::len));
        assert_eq!(certificates, Some(1));
        assert!(server.with_connection(|connection| connection.peer_certificates().is_none()));
        Ok(())
    })
    .unwrap();
}

#[test]
fn trio_ssl_open_ssl_over_tcp_stream_and_everything_else() {
    let configs = configs(&[]);
    terzetto::run(fail_after(60.0, async {
        nursery(async |n| {
            let echo = async |stream: TlsStream<terzetto::io::TcpStream>| {
                let heard = receive(&stream).await?;
                stream.send_all(&heard).await?;
                Ok(stream.close().await?)
            };
            let server = configs.1.clone();
            let listeners = n
                .start(async move |status| {
                    serve_tls_over_tcp(0, Some("127.0.0.1"), server, echo, status).await
                })
                .await?;
            let port = listeners[0].get_ref().local_addr()?.port();
            // By its name, which the certificate is for.
            let stream = open_tls_over_tcp_stream("localhost", port, configs.0.clone()).await?;
            stream.send_all(b"hello").await?;
            assert_eq!(receive(&stream).await?, b"hello");
            assert_eq!(receive(&stream).await?, b"");
            stream.close().await?;
            // By its number, which it is not for.
            let stream = open_tls_over_tcp_stream("127.0.0.1", port, configs.0.clone()).await?;
            assert!(matches!(stream.handshake().await, Err(StreamError::Broken(_))));
            drop(stream);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    }))
    .unwrap();
}
