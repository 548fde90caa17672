//! PAT-13: servers stop accepting, finish what is under way, and end.

use http_body_util::{BodyExt, Empty, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client,
    server::conn::{http1, http2},
    service::service_fn,
};
use std::{cell::Cell, convert::Infallible, net::SocketAddr};
use terzetto::{
    CancelScope, Error, checkpoint,
    compat::{FuturesIo, HyperIo, NurseryExecutor, drive_connection, drive_gracefully},
    current_time, fail_after,
    graceful::{finish, until_shut_down},
    io::{ReceiveStream, SendStream, TcpStream, serve_tcp},
    nursery, sleep,
    sync::Event,
    testing::memory_stream_pair,
};
use terzetto_tests::run_mock;

/// Answers each line; a line that has begun to be worked on is answered also in a shutdown.
async fn answer_lines(stream: TcpStream, taken: &Event, go_on: &Event) -> Result<(), Error> {
    finish(async {
        let mut line = [0; 64];
        while let Some(length) = until_shut_down(async { Ok(stream.receive_some(&mut line).await?) }).await? {
            if length == 0 {
                break;
            }
            taken.set();
            go_on.wait().await?;
            stream.send_all(&line[..length]).await?;
        }
        Ok(())
    })
    .await
}

#[test]
fn pat_13_serve_tcp_stops_accepting_finishes_and_ends() {
    terzetto::run(fail_after(10.0, async {
        let (scope, taken, go_on) = (&CancelScope::new(), &Event::new(), &Event::new());
        let (address, ended) = (&Cell::new(None), &Event::new());
        let handler = async |stream| answer_lines(stream, taken, go_on).await;
        nursery(async |n| {
            n.start(async |status| {
                let server = scope.run(async {
                    nursery(async |inner| {
                        let serve = async |status| serve_tcp(0, Some("127.0.0.1"), &handler, status).await;
                        let listeners = inner.start(serve).await?;
                        address.set(Some(listeners[0].local_addr()?));
                        Ok(status.started(())?)
                    })
                    .await
                });
                server.await?;
                ended.set();
                Ok(())
            })
            .await?;
            let address = address.get().unwrap();
            let (busy, idle) = (TcpStream::connect(address).await?, TcpStream::connect(address).await?);
            busy.send_all(b"line").await?;
            taken.wait().await?;
            scope.shut_down(1000.0);
            // The one that waits for a line is told, and ends.
            assert_eq!(idle.receive_some(&mut [0; 8]).await?, 0);
            while TcpStream::connect(address).await.is_ok() {
                checkpoint().await?;
            }
            assert!(!ended.is_set());
            go_on.set();
            let mut answer = [0; 8];
            assert_eq!(busy.receive_some(&mut answer).await?, 4);
            assert_eq!(busy.receive_some(&mut answer).await?, 0);
            ended.wait().await?;
            assert!(!scope.cancel_called());
            Ok(())
        })
        .await
    }))
    .unwrap();
}

/// A server of HTTP/1.1 whose answers wait, beside a client; `client` gets its address and its scope.
async fn with_http_server(
    grace_ends: bool,
    client: impl AsyncFnOnce(SocketAddr, &CancelScope, &Event, &Event) -> Result<(), Error>,
) -> Result<(), Error> {
    let (scope, taken, go_on) = (&CancelScope::new(), &Event::new(), &Event::new());
    let address = &Cell::new(None);
    let connection = async |stream: TcpStream| {
        let answer = service_fn(async |request: Request<Incoming>| {
            if request.uri().path() == "/slow" {
                taken.set();
                go_on.wait().await?;
            }
            Ok::<_, terzetto::Cancelled>(Response::new(Full::new(Bytes::from("answer"))))
        });
        let served = http1::Builder::new().serve_connection(HyperIo::new(stream), answer);
        match drive_gracefully(served, |connection| connection.graceful_shutdown()).await {
            Err(error) if !error.is_cancelled() => panic!("{error}"),
            outcome => outcome,
        }
    };
    nursery(async |n| {
        n.start(async |status| {
            let server = scope.run(async {
                nursery(async |inner| {
                    let serve = async |status| serve_tcp(0, Some("127.0.0.1"), &connection, status).await;
                    let listeners = inner.start(serve).await?;
                    address.set(Some(listeners[0].local_addr()?));
                    Ok(status.started(())?)
                })
                .await
            });
            server.await?;
            assert_eq!(scope.cancel_called(), grace_ends);
            Ok(())
        })
        .await?;
        client(address.get().unwrap(), scope, taken, go_on).await
    })
    .await
}

/// All that comes until the connection is closed.
async fn read_to_end(stream: &TcpStream) -> Result<String, Error> {
    let (mut text, mut part) = (Vec::new(), [0; 1024]);
    loop {
        match stream.receive_some(&mut part).await? {
            0 => return Ok(String::from_utf8(text)?),
            n => text.extend_from_slice(&part[..n]),
        }
    }
}

#[test]
fn pat_13_http_requests_under_way_are_answered_and_idle_connections_end() {
    let client = async |address, scope: &CancelScope, taken: &Event, go_on: &Event| {
        let (busy, idle, fresh) = (
            TcpStream::connect(address).await?,
            TcpStream::connect(address).await?,
            TcpStream::connect(address).await?,
        );
        idle.send_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await?;
        let mut part = [0; 1024];
        assert!(idle.receive_some(&mut part).await? > 0);
        busy.send_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await?;
        taken.wait().await?;
        scope.shut_down(1000.0);
        // Kept alive until now; and one that has asked for nothing yet.
        assert_eq!(read_to_end(&idle).await?, "");
        assert_eq!(read_to_end(&fresh).await?, "");
        while TcpStream::connect(address).await.is_ok() {
            checkpoint().await?;
        }
        go_on.set();
        let answer = read_to_end(&busy).await?;
        assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("answer"), "{answer}");
        assert!(answer.to_lowercase().contains("connection: close"), "{answer}");
        Ok(())
    };
    terzetto::run(fail_after(10.0, with_http_server(false, client))).unwrap();
}

#[test]
fn pat_13_an_http_request_that_takes_too_long_is_cut_when_the_grace_ends() {
    let client = async |address, scope: &CancelScope, taken: &Event, _: &Event| {
        let busy = TcpStream::connect(address).await?;
        busy.send_all(b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n").await?;
        taken.wait().await?;
        scope.shut_down(0.05);
        assert_eq!(read_to_end(&busy).await?, "");
        Ok(())
    };
    terzetto::run(fail_after(10.0, with_http_server(true, client))).unwrap();
}

#[test]
fn pat_13_http_2_finishes_its_streams() {
    run_mock(async {
        let (here, there) = memory_stream_pair();
        let (scope, ended) = (&CancelScope::new(), &Cell::new(0.0));
        nursery(async |n| {
            n.start_soon(async {
                scope
                    .run(finish(async {
                        nursery(async |inner| {
                            let answer = service_fn(async |_| {
                                sleep(5.0).await.ok();
                                Ok::<_, Infallible>(Response::new(Full::new(Bytes::from("answer"))))
                            });
                            let served = http2::Builder::new(NurseryExecutor::new(inner))
                                .serve_connection(HyperIo::new(FuturesIo::new(there)), answer);
                            drive_gracefully(served, |connection| connection.graceful_shutdown()).await
                        })
                        .await
                    }))
                    .await?;
                ended.set(current_time());
                Ok(())
            });
            let io = HyperIo::new(FuturesIo::new(here));
            let (mut sender, connection) =
                client::conn::http2::handshake(NurseryExecutor::new(n), io).await?;
            n.start_soon(async { drive_connection(connection).await });
            let request = Request::get("http://terzetto/").body(Empty::<Bytes>::new())?;
            n.start_soon(async {
                sleep(1.0).await?;
                scope.shut_down(1000.0);
                Ok(())
            });
            let response = sender.send_request(request).await?;
            assert_eq!(response.into_body().collect().await?.to_bytes(), "answer");
            Ok(())
        })
        .await?;
        assert_eq!(ended.get(), 5.0);
        Ok(())
    })
    .unwrap();
}
