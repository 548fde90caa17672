//! HTTP servers and clients.

use http_body_util::{BodyExt, Full, StreamBody};
use hyper::{
    Method, Request, Response, StatusCode,
    body::{Bytes, Frame, Incoming},
    client,
    header::{AUTHORIZATION, LOCATION},
};
use rustls::version::TLS13;
use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
};
use terzetto::{
    CancelScope, Error, Nursery, TooSlow, cancellable,
    compat::{
        FuturesIo, HyperIo, NurseryExecutor, drive_connection,
        http::{ClientOptions, ConnectionTasks, HttpClient, HttpError, HttpServer, with_http_client},
        tls::TlsListener,
    },
    current_time, fail_after,
    io::{Listener, ReceiveStream, SendStream, TcpListener, TcpStream, open_tcp_listeners, serve_tcp},
    move_on_after, nursery, sleep, sleep_forever,
    sync::Event,
    testing::memory_stream_pair,
};
use terzetto_tests::run_mock;

mod tls_configs;
use tls_configs::configs;

type Answer = Result<Response<Full<Bytes>>, Error>;

fn text(text: impl Into<Bytes>) -> Answer {
    Ok(Response::new(Full::new(text.into())))
}

fn redirect(status: u16, location: &str) -> Answer {
    Ok(Response::builder().status(status).header(LOCATION, location).body(Full::default())?)
}

/// Answers with the method, the path, the credentials and the body; redirects, waits, or fails by the path.
async fn answer(request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    match head.uri.path() {
        "/slow" => sleep(0.2).await?,
        "/never" => sleep_forever().await?,
        "/fails" => return Err(Error::msg("the service fails")),
        "/found" => return redirect(302, "/a/b?from=found"),
        "/relative" => return redirect(302, "../up"),
        "/same" => return redirect(307, "/kept"),
        "/loop" => return redirect(302, "/loop"),
        "/nowhere" => return redirect(302, "mailto:nobody"),
        path if path.starts_with("/away/") => return redirect(302, &format!("http://{}/x", &path[6..])),
        _ => {}
    }
    let secret = head.headers.get(AUTHORIZATION).map_or("-", |value| value.to_str().unwrap_or("?"));
    let mut got = format!("{} {} {secret} ", head.method, head.uri.path()).into_bytes();
    got.extend(body.collect().await?.to_bytes());
    text(got)
}

/// A server of `answer`; returns its address, and how many connections it has had.
async fn serve_answers<'scope>(n: &'scope Nursery<'scope, '_>) -> Result<(SocketAddr, Rc<Cell<u32>>), Error> {
    let connections = Rc::new(Cell::new(0));
    let count = connections.clone();
    let listeners = n
        .start(async move |status| {
            let connection = async |stream: TcpStream| {
                count.set(count.get() + 1);
                HttpServer::new().serve_connection(stream, tower::service_fn(answer)).await
            };
            serve_tcp(0, Some("127.0.0.1"), connection, status).await
        })
        .await?;
    Ok((listeners[0].local_addr()?, connections))
}

/// The body of what a server answers to a GET.
async fn get(client: &HttpClient, address: SocketAddr, path: &str) -> Result<String, Error> {
    client.get(format!("http://{address}{path}").parse()?).await?.text(1000).await
}

#[test]
fn compat_07_a_service_is_served_over_both_versions() {
    terzetto::run(async {
        nursery(async |n| {
            let (address, _) = serve_answers(n).await?;
            let request = |number: usize| {
                let body = Full::new(Bytes::from(vec![b'x'; number * 5000]));
                Ok::<_, Error>(Request::put(format!("http://{address}/{number}")).body(body)?)
            };
            let check = async |response: Response<Incoming>, number: usize| {
                assert_eq!(response.status(), 200);
                let got = cancellable(response.into_body().collect()).await??.to_bytes();
                let head = format!("PUT /{number} - ");
                assert!(got.starts_with(head.as_bytes()) && got.len() == head.len() + number * 5000);
                Ok::<_, Error>(())
            };
            let io = HyperIo::new(TcpStream::connect(address).await?);
            let (mut sender, connection) = client::conn::http1::handshake(io).await?;
            nursery(async |n| {
                n.start_soon(async { drive_connection(connection).await });
                for number in 0..10 {
                    let mut request = request(number)?;
                    request.headers_mut().insert("host", "terzetto".parse()?);
                    *request.uri_mut() = format!("/{number}").parse()?;
                    check(cancellable(sender.send_request(request)).await??, number).await?;
                }
                drop(sender);
                Ok(())
            })
            .await?;
            let io = HyperIo::new(TcpStream::connect(address).await?);
            nursery(async |n| {
                let executor = NurseryExecutor::new(n);
                let (sender, connection) = client::conn::http2::handshake(executor, io).await?;
                n.start_soon(async { drive_connection(connection).await });
                nursery(async |requests| {
                    for number in 0..10 {
                        let mut sender = sender.clone();
                        let (request, check) = (request(number)?, &check);
                        requests.start_soon(async move {
                            check(cancellable(sender.send_request(request)).await??, number).await
                        });
                    }
                    Ok(())
                })
                .await?;
                n.cancel_scope().cancel();
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

/// How a server is told to stop.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stop {
    Event,
    ShutDown,
}

#[test]
fn compat_07_a_server_that_stops_answers_what_is_under_way() {
    stops(Stop::Event);
}

#[test]
fn compat_07_a_server_that_is_shut_down_answers_what_is_under_way() {
    stops(Stop::ShutDown);
}

fn stops(how: Stop) {
    terzetto::run(async {
        let (stop, ended) = (Rc::new(Event::new()), Cell::new(false));
        let scope = &CancelScope::new();
        nursery(async |n| {
            let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
            let server = HttpServer::new().stop_on(stop.clone());
            let listeners = n
                .start(async |status| {
                    scope.run(server.serve(listeners, tower::service_fn(answer), status)).await?;
                    ended.set(true);
                    Ok(())
                })
                .await?;
            let address = listeners[0].local_addr()?;
            // One that is idle, and one that has had no request at all.
            let idle = TcpStream::connect(address).await?;
            idle.send_all(b"GET /idle HTTP/1.1\r\nhost: x\r\n\r\n").await?;
            assert!(idle.receive_some(&mut [0; 1000]).await? > 0);
            let fresh = TcpStream::connect(address).await?;
            with_http_client(ClientOptions::new(), async |client| {
                nursery(async |requests| {
                    requests.start_soon(async {
                        assert_eq!(get(client, address, "/slow").await?, "GET /slow - ");
                        Ok(())
                    });
                    sleep(0.05).await?;
                    match how {
                        Stop::Event => stop.set(),
                        Stop::ShutDown => scope.shut_down(10.0),
                    }
                    fail_after(0.1, async {
                        assert_eq!(
                            idle.receive_some(&mut [0; 1000]).await?,
                            0,
                            "idle connections end at once"
                        );
                        assert_eq!(fresh.receive_some(&mut [0; 1000]).await?, 0);
                        Ok(())
                    })
                    .await?;
                    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
                    assert!(!ended.get(), "the server waits for its last answer");
                    Ok(())
                })
                .await
            })
            .await
        })
        .await?;
        assert!(ended.get());
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_07_a_cancelled_server_closes_its_connections_at_once() {
    terzetto::run(async {
        nursery(async |clients| {
            let stream = nursery(async |n| {
                let (address, _) = serve_answers(n).await?;
                let stream = Rc::new(TcpStream::connect(address).await?);
                stream.send_all(b"GET /never HTTP/1.1\r\nhost: x\r\n\r\n").await?;
                let waiting = stream.clone();
                clients.start_soon(async move {
                    assert_eq!(waiting.receive_some(&mut [0; 1000]).await?, 0);
                    Ok(())
                });
                sleep(0.02).await?;
                n.cancel_scope().cancel();
                Ok(())
            });
            fail_after(1.0, stream).await
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_07_a_service_that_fails_ends_only_its_connection() {
    terzetto::run(async {
        nursery(async |n| {
            let (address, connections) = serve_answers(n).await?;
            with_http_client(ClientOptions::new(), async |client| {
                assert!(get(client, address, "/fails").await.is_err());
                assert_eq!(get(client, address, "/well").await?, "GET /well - ");
                Ok(())
            })
            .await?;
            assert_eq!(connections.get(), 2);
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_07_slow_heads_time_out_on_the_runs_clock() {
    run_mock(async {
        let (client, server) = memory_stream_pair();
        client.send_all(b"GET / HTTP/1.1\r\nhost:").await?;
        let start = current_time();
        let service = tower::service_fn(answer);
        HttpServer::new().header_timeout(12.0).serve_connection(FuturesIo::new(server), service).await?;
        let took = current_time() - start;
        assert!((12.0..12.1).contains(&took), "took {took} s of a mock clock");
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_07_a_handler_takes_over_its_connection() {
    async fn upgrade(mut request: Request<Incoming>) -> Answer {
        let upgrade = hyper::upgrade::on(&mut request);
        let Some(tasks) = request.extensions().get::<ConnectionTasks>() else {
            return Err(Error::msg("each request has them"));
        };
        tasks.start_soon(async move {
            let mut io = cancellable(upgrade).await??;
            // The bytes come back in another order.
            let mut buffer = [0; 5];
            let mut cursor = hyper::rt::ReadBuf::new(&mut buffer);
            std::future::poll_fn(|cx| {
                hyper::rt::Read::poll_read(std::pin::Pin::new(&mut io), cx, cursor.unfilled())
            })
            .await?;
            let back: Vec<u8> = cursor.filled().iter().rev().copied().collect();
            std::future::poll_fn(|cx| hyper::rt::Write::poll_write(std::pin::Pin::new(&mut io), cx, &back))
                .await?;
            Ok(())
        });
        Ok(Response::builder()
            .status(StatusCode::SWITCHING_PROTOCOLS)
            .header("connection", "upgrade")
            .header("upgrade", "back")
            .body(Full::default())?)
    }
    terzetto::run(async {
        nursery(async |n| {
            let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
            let listeners = n
                .start(async |status| {
                    HttpServer::new().serve(listeners, tower::service_fn(upgrade), status).await
                })
                .await?;
            let stream = TcpStream::connect(listeners[0].local_addr()?).await?;
            stream
                .send_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: back\r\n\r\n")
                .await?;
            let mut got = Vec::new();
            let mut buffer = [0; 1000];
            while !got.ends_with(b"\r\n\r\n") {
                let count = stream.receive_some(&mut buffer).await?;
                assert_ne!(count, 0);
                got.extend_from_slice(&buffer[..count]);
            }
            assert!(got.starts_with(b"HTTP/1.1 101 "));
            stream.send_all(b"hello").await?;
            assert_eq!(stream.receive_some(&mut buffer).await?, 5);
            assert_eq!(&buffer[..5], b"olleh");
            assert_eq!(stream.receive_some(&mut buffer).await?, 0, "the task has ended");
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_07_the_pool_uses_connections_again() {
    terzetto::run(async {
        nursery(async |n| {
            let (address, connections) = serve_answers(n).await?;
            let value = with_http_client(ClientOptions::new(), async |client| {
                for number in 0..5 {
                    let path = format!("/{number}");
                    assert_eq!(get(client, address, &path).await?, format!("GET {path} - "));
                }
                assert_eq!(connections.get(), 1, "one after the other");
                nursery(async |requests| {
                    for _ in 0..3 {
                        requests.start_soon(async {
                            get(client, address, "/slow").await?;
                            Ok(())
                        });
                    }
                    Ok(())
                })
                .await?;
                assert_eq!(connections.get(), 3, "side by side");
                Ok("value")
            });
            assert_eq!(value.await?, "value");
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_07_requests_end_with_their_scopes() {
    terzetto::run(async {
        nursery(async |n| {
            let (address, connections) = serve_answers(n).await?;
            with_http_client(ClientOptions::new(), async |client| {
                assert!(move_on_after(0.05, get(client, address, "/never")).await?.is_none());
                let late = fail_after(0.05, get(client, address, "/never")).await.unwrap_err();
                assert!(late.find::<TooSlow>().is_some());
                // A connection with an answer that nobody waits for is not used again.
                assert_eq!(get(client, address, "/next").await?, "GET /next - ");
                assert_eq!(connections.get(), 3);
                Ok(())
            })
            .await?;
            // A client that is cancelled as a whole.
            let whole =
                with_http_client(ClientOptions::new(), async |client| get(client, address, "/never").await);
            assert!(move_on_after(0.05, whole).await?.is_none());
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn compat_07_redirects_are_followed() {
    terzetto::run(async {
        nursery(async |n| {
            let (address, _) = serve_answers(n).await?;
            let (other, _) = serve_answers(n).await?;
            with_http_client(ClientOptions::new(), async |client| {
                let send = async |method: Method, path: &str| {
                    let request = Request::builder()
                        .method(method)
                        .uri(format!("http://{address}{path}"))
                        .header(AUTHORIZATION, "secret")
                        .body(Full::new(Bytes::from_static(b"body")))?;
                    let response = client.send(request).await?;
                    let uri = response.uri().to_string();
                    Ok::<_, Error>((uri, response.text(1000).await?))
                };
                let at = |path: &str| format!("http://{address}{path}");
                assert_eq!(
                    send(Method::POST, "/found").await?,
                    (at("/a/b?from=found"), "GET /a/b secret ".into())
                );
                assert_eq!(send(Method::PUT, "/relative").await?, (at("/up"), "PUT /up secret body".into()));
                assert_eq!(
                    send(Method::POST, "/same").await?,
                    (at("/kept"), "POST /kept secret body".into())
                );
                // The credentials are not for others.
                let (uri, got) = send(Method::POST, &format!("/away/{other}")).await?;
                assert_eq!((uri, got), (format!("http://{other}/x"), "GET /x - ".into()));
                let error = send(Method::GET, "/loop").await.unwrap_err();
                assert_eq!(error.find(), Some(&HttpError::TooManyRedirects(10)));
                let error = send(Method::GET, "/nowhere").await.unwrap_err();
                assert_eq!(error.find(), Some(&HttpError::BadRedirect("mailto:nobody".into())));
                Ok(())
            })
            .await?;
            with_http_client(ClientOptions::new().max_redirects(0), async |client| {
                assert_eq!(client.get(format!("http://{address}/found").parse()?).await?.status(), 302);
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
fn compat_07_bodies_come_in_pieces_and_are_limited() {
    terzetto::run(async {
        nursery(async |n| {
            let pieces = async |_: Request<Incoming>| {
                let stream = futures_util::stream::unfold(0, |number| async move {
                    if number > 0 && sleep(0.01).await.is_err() {
                        return None;
                    }
                    let data = Bytes::from(format!("{number};"));
                    (number < 5).then(|| (Ok::<_, Error>(Frame::data(data)), number + 1))
                });
                Ok::<_, Error>(Response::new(StreamBody::new(stream)))
            };
            let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
            let listeners = n
                .start(async move |status| {
                    HttpServer::new().serve(listeners, tower::service_fn(pieces), status).await
                })
                .await?;
            let uri: hyper::Uri = format!("http://{}/", listeners[0].local_addr()?).parse()?;
            with_http_client(ClientOptions::new(), async |client| {
                let mut response = client.get(uri.clone()).await?;
                let got = RefCell::new(Vec::new());
                while let Some(piece) = response.chunk().await? {
                    got.borrow_mut().push(piece);
                }
                assert_eq!(got.take(), ["0;", "1;", "2;", "3;", "4;"]);
                assert_eq!(client.get(uri.clone()).await?.text(10).await?, "0;1;2;3;4;");
                let error = client.get(uri.clone()).await?.text(9).await.unwrap_err();
                assert_eq!(error.find(), Some(&HttpError::TooLong(9)));
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
fn compat_07_https_chooses_the_version_in_the_handshake() {
    terzetto::run(async {
        for version in [&b"h2"[..], b"http/1.1"] {
            nursery(async |n| {
                let (mut client, mut server) = configs(&[&TLS13])?;
                std::sync::Arc::make_mut(&mut server).alpn_protocols = vec![version.to_vec()];
                std::sync::Arc::make_mut(&mut client).alpn_protocols =
                    vec![b"h2".to_vec(), b"http/1.1".to_vec()];
                let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
                let port = listener.local_addr()?.port();
                let versions = RefCell::new(Vec::new());
                n.start_soon(async {
                    let listener = TlsListener::new(listener, server);
                    let service = tower::service_fn(|request: Request<Incoming>| {
                        text(format!("{:?}", request.version())).map_or_else(
                            |error| std::future::ready(Err(error)),
                            |answer| std::future::ready(Ok(answer)),
                        )
                    });
                    let stream = FuturesIo::new(listener.accept().await?);
                    HttpServer::new().serve_connection(stream, service).await
                });
                with_http_client(ClientOptions::new().tls(client), async |client| {
                    for _ in 0..3 {
                        let uri = format!("https://localhost:{port}/").parse()?;
                        let version = client.get(uri).await?.text(100).await?;
                        versions.borrow_mut().push(version);
                    }
                    Ok(())
                })
                .await?;
                let expected = if version == b"h2" { "HTTP/2.0" } else { "HTTP/1.1" };
                assert_eq!(versions.take(), [expected; 3]);
                n.cancel_scope().cancel();
                Ok(())
            })
            .await?;
        }
        Ok(())
    })
    .unwrap();
}

#[test]
fn compat_07_what_is_wrong_with_an_address_is_said() {
    terzetto::run(async {
        let free = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        with_http_client(ClientOptions::new(), async |client| {
            let error = client.get("/path".parse()?).await.unwrap_err();
            assert_eq!(error.find(), Some(&HttpError::BadUri("/path".into())));
            let error = client.get("ftp://127.0.0.1/".parse()?).await.unwrap_err();
            assert_eq!(error.find(), Some(&HttpError::BadUri("ftp://127.0.0.1/".into())));
            let error = client.get("https://127.0.0.1/".parse()?).await.unwrap_err();
            assert_eq!(error.find(), Some(&HttpError::NoTls));
            let error = get(client, free, "/").await.unwrap_err();
            assert!(format!("{error:?}").contains("refused"), "{error:?}");
            Ok(())
        })
        .await
    })
    .unwrap();
}
