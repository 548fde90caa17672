//! HTTP through `hyper`.

use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    client,
    server::conn::{http1, http2},
    service::service_fn,
};
use std::{cell::Cell, convert::Infallible, time::Duration};
use terzetto::{
    Error, cancellable,
    compat::{FuturesIo, HyperIo, HyperTimer, NurseryExecutor, drive_connection},
    current_time,
    io::{ReceiveStream, SendStream, TcpStream, serve_tcp},
    move_on_after, nursery,
    testing::memory_stream_pair,
};
use terzetto_tests::run_mock;

/// Answers with the path and the request's body.
async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, hyper::Error> {
    let path = request.uri().path().to_owned();
    let body = request.into_body().collect().await?.to_bytes();
    let mut text = path.into_bytes();
    text.extend_from_slice(&body);
    Ok(Response::new(Full::new(text.into())))
}

async fn connection(stream: TcpStream) -> Result<(), Error> {
    let served = http1::Builder::new()
        .timer(HyperTimer::new())
        .serve_connection(HyperIo::new(stream), service_fn(answer));
    match drive_connection(served).await {
        Err(error) if error.is_cancelled() => Err(error),
        _ => Ok(()),
    }
}

fn request(path: &str, body: Vec<u8>) -> Result<Request<Full<Bytes>>, Error> {
    Ok(Request::post(path).header("host", "terzetto").body(Full::new(body.into()))?)
}

#[test]
fn compat_04_server_and_client_speak_http_1() {
    terzetto::run(async {
        nursery(async |n| {
            let listeners =
                n.start(async |status| serve_tcp(0, Some("127.0.0.1"), connection, status).await).await?;
            let address = listeners[0].local_addr()?;
            nursery(async |clients| {
                for number in 0..10usize {
                    clients.start_soon(async move {
                        let stream = TcpStream::connect(address).await?;
                        let (mut sender, connection) =
                            client::conn::http1::handshake(HyperIo::new(stream)).await?;
                        nursery(async |n| {
                            n.start_soon(async { drive_connection(connection).await });
                            // One connection, many requests; bodies from nothing to much.
                            for round in 0..10usize {
                                let body = vec![number as u8; round * round * 10_000];
                                let path = format!("/{number}/{round}");
                                let response = sender.send_request(request(&path, body.clone())?).await?;
                                let got = response.into_body().collect().await?.to_bytes();
                                assert!(got.starts_with(path.as_bytes()) && got[path.len()..] == body);
                            }
                            drop(sender);
                            Ok(())
                        })
                        .await
                    });
                }
                Ok(())
            })
            .await?;
            // Connections that are kept open end with the server.
            let idle = TcpStream::connect(address).await?;
            idle.send_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await?;
            assert!(idle.receive_some(&mut [0; 4096]).await? > 0);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_04_http_2_starts_its_tasks_in_a_nursery() {
    run_mock(async {
        let (here, there) = memory_stream_pair();
        let served = Cell::new(0);
        nursery(async |n| {
            n.start_soon(async {
                let io = HyperIo::new(FuturesIo::new(there));
                // A service that borrows.
                let service = service_fn(async |request| {
                    served.set(served.get() + 1);
                    answer(request).await
                });
                let connection = http2::Builder::new(NurseryExecutor::new(n))
                    .timer(HyperTimer::new())
                    .serve_connection(io, service);
                drive_connection(connection).await
            });
            let io = HyperIo::new(FuturesIo::new(here));
            let (sender, connection) =
                client::conn::http2::handshake::<_, _, Full<Bytes>>(NurseryExecutor::new(n), io).await?;
            n.start_soon(async { drive_connection(connection).await });
            nursery(async |requests| {
                for number in 0..20 {
                    let mut sender = sender.clone();
                    requests.start_soon(async move {
                        let path = format!("/{number}");
                        let mut request = request(&path, vec![number; 40_000])?;
                        *request.uri_mut() = format!("http://terzetto{path}").parse()?;
                        let response = sender.send_request(request).await?;
                        let got = response.into_body().collect().await?.to_bytes();
                        assert!(got.starts_with(path.as_bytes()) && got.len() == path.len() + 40_000);
                        Ok(())
                    });
                }
                Ok(())
            })
            .await?;
            drop(sender);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        assert_eq!(served.get(), 20);
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_04_timeouts_pass_on_the_runs_clock() {
    run_mock(async {
        let (client, server) = memory_stream_pair();
        let start = current_time();
        client.send_all(b"GET / HT").await?;
        let never = service_fn(async |_| Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))));
        let served = http1::Builder::new()
            .timer(HyperTimer::new())
            .header_read_timeout(Duration::from_secs(20))
            .serve_connection(HyperIo::new(FuturesIo::new(server)), never)
            .await;
        assert!(served.unwrap_err().is_timeout());
        let took = current_time() - start;
        assert!((20.0..20.1).contains(&took), "took {took} s of a mock clock");
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_04_a_connection_ends_when_its_task_is_cancelled() {
    run_mock(async {
        for way in 0..3 {
            let (client, server) = memory_stream_pair();
            client.send_all(b"GET / HTTP/1.1\r\n").await?;
            let service = service_fn(answer);
            let io = HyperIo::new(FuturesIo::new(server));
            let connection = http1::Builder::new().serve_connection(io, service);
            let outcome = move_on_after(5.0, async {
                match way {
                    0 => drive_connection(connection).await,
                    1 => Ok(cancellable(connection).await??),
                    _ => Ok(connection.await?),
                }
            });
            assert!(outcome.await?.is_none());
        }
        Ok(())
    })
    .unwrap();
}
