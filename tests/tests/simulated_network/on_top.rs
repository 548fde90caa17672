//! What is built on sockets runs on simulated ones unmodified.

#[path = "../tls_configs/mod.rs"]
mod tls_configs;

use crate::{receive_all, simulated};
use futures_util::{AsyncReadExt, AsyncWriteExt};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Bytes, client, server::conn::http1, service::service_fn};
use rustls::{pki_types::ServerName, version::TLS13};
use terzetto::{
    Error, TaskStatus,
    compat::{
        HyperIo, HyperTimer, drive_connection,
        tls::{TlsStream, serve_tls_over_tcp},
    },
    io::{Listener, SendStream, TcpListener, TcpStream, open_tcp_stream, serve_tcp},
    nursery, sleep,
    testing::net::{Fault, Link},
};
use tls_configs::configs;

const ANY: [u8; 4] = [0, 0, 0, 0];

async fn http_connection(stream: TcpStream) -> Result<(), Error> {
    let answer = service_fn(async |request: Request<hyper::body::Incoming>| {
        let body = request.into_body().collect().await?.to_bytes();
        Ok::<_, hyper::Error>(Response::new(Full::new(body)))
    });
    let served =
        http1::Builder::new().timer(HyperTimer::new()).serve_connection(HyperIo::new(stream), answer);
    match drive_connection(served).await {
        Err(error) if error.is_cancelled() => Err(error),
        _ => Ok(()),
    }
}

#[test]
fn net_60_hyper_over_a_slow_network_that_loses_packets() -> Result<(), Error> {
    simulated(1, async |network| {
        network.set_link(Link::new().latency(0.01..=0.05).bandwidth(1e6).loss(0.05));
        let (server, browser) = (network.host("server"), network.host("browser"));
        nursery(async |n| {
            n.start_soon(async {
                server.run(serve_tcp(80, None, http_connection, TaskStatus::ignored())).await
            });
            browser
                .run(async {
                    sleep(0.1).await?;
                    let stream = open_tcp_stream("server", 80).await?;
                    let (mut sender, connection) =
                        client::conn::http1::handshake(HyperIo::new(stream)).await?;
                    nursery(async |n| {
                        n.start_soon(async { drive_connection(connection).await });
                        for round in 0..10_usize {
                            let body = vec![round as u8; round * 10_000];
                            let request = Request::post("/")
                                .header("host", "server")
                                .body(Full::new(Bytes::from(body.clone())))?;
                            let response = sender.send_request(request).await?;
                            assert_eq!(response.into_body().collect().await?.to_bytes(), body);
                        }
                        drop(sender);
                        Ok(())
                    })
                    .await
                })
                .await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        Ok(network.report().all_happened()?)
    })
}

#[test]
fn net_61_tls_over_a_simulated_connection() -> Result<(), Error> {
    let (client_config, server_config) = configs(&[&TLS13])?;
    simulated(1, async |network| {
        network.set_link(Link::new().latency(0.01..=0.05));
        let handler = async |stream: TlsStream<TcpStream>| Ok(stream.send_all(&[5; 100_000]).await?);
        nursery(async |n| {
            let server = network.host("server");
            n.start_soon(async move {
                server.run(serve_tls_over_tcp(443, None, server_config, handler, TaskStatus::ignored())).await
            });
            network
                .host("client")
                .run(async {
                    sleep(0.1).await?;
                    let stream = open_tcp_stream("server", 443).await?;
                    let stream =
                        TlsStream::client(client_config, ServerName::try_from("localhost")?, stream)?
                            .https_compatible(true);
                    assert_eq!(receive_all(&stream).await?, [5; 100_000]);
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
fn net_62_futures_io_over_a_simulated_connection() -> Result<(), Error> {
    simulated(1, async |network| {
        network.set_link(Link::new().latency(0.01..=0.05));
        let listener = TcpListener::bind((ANY, 80))?;
        let mut client = network.host("client").run(open_tcp_stream("main", 80)).await?;
        let mut server = listener.accept().await?;
        nursery(async |n| {
            n.start_soon(async {
                // More than the window.
                client.write_all(&[3; 300_000]).await?;
                AsyncWriteExt::close(&mut client).await?;
                let mut answer = String::new();
                client.read_to_string(&mut answer).await?;
                assert_eq!(answer, "300000");
                Ok(())
            });
            let mut all = Vec::new();
            server.read_to_end(&mut all).await?;
            assert!(all.iter().all(|&byte| byte == 3));
            server.write_all(all.len().to_string().as_bytes()).await?;
            AsyncWriteExt::close(&mut server).await?;
            Ok(())
        })
        .await
    })
}

#[test]
fn net_63_a_poll_of_futures_io_hears_of_a_reset() -> Result<(), Error> {
    simulated(1, async |network| {
        let listener = TcpListener::bind((ANY, 80))?;
        let mut client = network.host("client").run(open_tcp_stream("main", 80)).await?;
        let mut server = listener.accept().await?;
        network.inject(Fault::reset("client", "main"));
        nursery(async |n| {
            n.start_soon(async {
                sleep(1.0).await?;
                Ok(client.write_all(b"hello").await?)
            });
            let error = server.read_to_end(&mut Vec::new()).await.unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
            Ok(())
        })
        .await
    })
}
