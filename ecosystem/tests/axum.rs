//! `axum` routers and `tower` layers, and websockets by `async-tungstenite`, served by `compat::http`.

use async_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message, handshake::derive_accept_key, protocol::Role},
};
use axum::{
    Extension, Form, Json, Router,
    body::Body,
    extract::{Path, Query, Request, State},
    http::{StatusCode, header},
    response::Response,
    routing::{get, post},
};
use futures_util::{AsyncReadExt, StreamExt};
use hyper::{Method, body::Bytes};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{cell::RefCell, net::SocketAddr, pin::Pin, rc::Rc, task::Poll};
use terzetto::{
    Error, Nursery, cancellable,
    compat::http::{ClientOptions, ConnectionTasks, HttpClient, HttpServer, SendWrapper, with_http_client},
    fail_after,
    io::{TcpStream, open_tcp_listeners},
    move_on_after, nursery, sleep,
    sync::Event,
};
use tower::ServiceBuilder;
use tower_http::set_header::SetResponseHeaderLayer;

/// State that stays on the run's thread.
type Notes = SendWrapper<Rc<RefCell<Vec<String>>>>;

#[derive(Deserialize)]
struct Sum {
    a: i64,
    b: i64,
}

fn router() -> Router {
    let notes: Notes = SendWrapper::new(Rc::default());
    Router::new()
        .route("/hello/{name}", get(|Path(name): Path<String>| async move { format!("hello {name}") }))
        .route("/sum", get(|Query(sum): Query<Sum>| async move { Json(json!({ "sum": sum.a + sum.b })) }))
        .route(
            "/sum",
            post(|Form(sum): Form<Sum>| async move { (StatusCode::CREATED, (sum.a + sum.b).to_string()) }),
        )
        .route(
            "/notes",
            post(|State(notes): State<Notes>, Json(note): Json<String>| async move {
                notes.borrow_mut().push(note);
                Json(notes.borrow().len())
            }),
        )
        // A handler that uses the runtime.
        .route(
            "/slow",
            get(|| {
                SendWrapper::new(async {
                    let parts = RefCell::new(Vec::new());
                    let both = nursery(async |n| {
                        for pause in [0.02, 0.01] {
                            let parts = &parts;
                            n.start_soon(async move {
                                sleep(pause).await?;
                                parts.borrow_mut().push(pause);
                                Ok(())
                            });
                        }
                        Ok(())
                    });
                    match both.await {
                        Ok(()) => format!("{:?}", parts.take()),
                        Err(error) => format!("{error}"),
                    }
                })
            }),
        )
        .route("/echo", get(echo))
        .with_state(notes)
        .layer(ServiceBuilder::new().concurrency_limit(100).layer(SetResponseHeaderLayer::overriding(
            header::SERVER,
            header::HeaderValue::from_static("terzetto"),
        )))
}

/// An upgraded connection as a stream of `futures-io`, by way of tokio's traits.
struct Upgraded(hyper::upgrade::Upgraded);

impl futures_util::AsyncRead for Upgraded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<std::io::Result<usize>> {
        let mut room = hyper::rt::ReadBuf::new(buffer);
        std::task::ready!(hyper::rt::Read::poll_read(Pin::new(&mut self.0), cx, room.unfilled()))?;
        Poll::Ready(Ok(room.filled().len()))
    }
}

impl futures_util::AsyncWrite for Upgraded {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        data: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        hyper::rt::Write::poll_write(Pin::new(&mut self.0), cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<std::io::Result<()>> {
        hyper::rt::Write::poll_flush(Pin::new(&mut self.0), cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> Poll<std::io::Result<()>> {
        hyper::rt::Write::poll_shutdown(Pin::new(&mut self.0), cx)
    }
}

/// A websocket that says back what it is told.
async fn echo(Extension(tasks): Extension<ConnectionTasks>, mut request: Request) -> Response {
    let Some(key) = request.headers().get(header::SEC_WEBSOCKET_KEY) else {
        return Response::builder().status(StatusCode::BAD_REQUEST).body(Body::empty()).unwrap_or_default();
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgrade = hyper::upgrade::on(&mut request);
    tasks.start_soon(async move {
        let stream = Upgraded(cancellable(upgrade).await??);
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Server, None).await;
        while let Some(message) = cancellable(socket.next()).await? {
            match message? {
                Message::Text(text) => cancellable(socket.send(Message::Text(text))).await??,
                Message::Close(_) => break,
                _ => {}
            }
        }
        Ok(())
    });
    Response::builder()
        .status(StatusCode::SWITCHING_PROTOCOLS)
        .header(header::CONNECTION, "upgrade")
        .header(header::UPGRADE, "websocket")
        .header(header::SEC_WEBSOCKET_ACCEPT, accept)
        .body(Body::empty())
        .unwrap_or_default()
}

async fn serve<'scope>(n: &'scope Nursery<'scope, '_>, stop: Rc<Event>) -> Result<SocketAddr, Error> {
    let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
    let server = HttpServer::new().stop_on(stop);
    let listeners = n.start(async |status| server.serve(listeners, router(), status).await).await?;
    Ok(listeners[0].local_addr()?)
}

async fn text(client: &HttpClient, address: SocketAddr, path: &str) -> Result<String, Error> {
    client.get(format!("http://{address}{path}").parse()?).await?.text(1000).await
}

async fn post_text(
    client: &HttpClient,
    address: SocketAddr,
    path: &str,
    kind: &str,
    body: &'static str,
) -> Result<(u16, String), Error> {
    let request = hyper::Request::builder()
        .method(Method::POST)
        .uri(format!("http://{address}{path}"))
        .header(header::CONTENT_TYPE, kind)
        .body(http_body_util::Full::new(Bytes::from_static(body.as_bytes())))?;
    let response = client.send(request).await?;
    let status = response.status().as_u16();
    Ok((status, response.text(1000).await?))
}

#[test]
fn axum_routes_extract_and_answer() {
    terzetto::run(async {
        let stop = Rc::new(Event::new());
        nursery(async |n| {
            let address = serve(n, stop.clone()).await?;
            with_http_client(ClientOptions::new(), async |client| {
                assert_eq!(text(client, address, "/hello/you").await?, "hello you");
                let sum: Value = serde_json::from_str(&text(client, address, "/sum?a=40&b=2").await?)?;
                assert_eq!(sum, json!({ "sum": 42 }));
                let form = "application/x-www-form-urlencoded";
                assert_eq!(post_text(client, address, "/sum", form, "a=1&b=2").await?, (201, "3".into()));
                let json = "application/json";
                assert_eq!(post_text(client, address, "/notes", json, "\"one\"").await?, (200, "1".into()));
                assert_eq!(post_text(client, address, "/notes", json, "\"two\"").await?, (200, "2".into()));
                assert_eq!(post_text(client, address, "/notes", json, "{").await?.0, 422);
                assert_eq!(text(client, address, "/slow").await?, "[0.01, 0.02]");
                let missing = client.get(format!("http://{address}/nothing").parse()?).await?;
                assert_eq!(
                    (missing.status().as_u16(), &missing.headers()["server"]),
                    (404, &"terzetto".parse()?)
                );
                Ok(())
            })
            .await?;
            stop.set();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn websockets_talk_and_end() {
    terzetto::run(async {
        let stop = Rc::new(Event::new());
        nursery(async |n| {
            let address = serve(n, stop.clone()).await?;
            let url = format!("ws://{address}/echo");
            let stream = TcpStream::connect(address).await?;
            let (mut socket, _) = client_async(&url, stream).await?;
            for number in 0..10 {
                let sent = Message::text(format!("message {number} {}", "x".repeat(number * 1000)));
                socket.send(sent.clone()).await?;
                assert_eq!(socket.next().await.transpose()?, Some(sent));
            }
            socket.close(None).await?;
            fail_after(5.0, async {
                while socket.next().await.is_some() {}
                Ok(())
            })
            .await?;
            // A cancelled wait is a failed read for the library: it ends the socket. Who wants to go on after a time
            // limit receives in a task of its own.
            let (mut socket, _) = client_async(&url, TcpStream::connect(address).await?).await?;
            let late = move_on_after(0.02, async { Ok(cancellable(socket.next()).await?.transpose()?) });
            assert!(late.await?.is_none());
            assert!(socket.send(Message::text("late")).await.is_err() || socket.next().await.is_none());
            stop.set();
            Ok(())
        })
        .await
    })
    .unwrap();
}

#[test]
fn a_websocket_over_a_stream_in_memory_needs_no_server() {
    terzetto::run(async {
        let (here, there) = terzetto::testing::memory_stream_pair();
        nursery(async |n| {
            n.start_soon(async {
                let mut server =
                    async_tungstenite::accept_async(terzetto::compat::FuturesIo::new(there)).await?;
                let message = server.next().await.transpose()?;
                assert_eq!(message, Some(Message::binary(vec![7; 100_000])));
                Ok(server.close(None).await?)
            });
            let stream = terzetto::compat::FuturesIo::new(here);
            let (mut client, _) = client_async("ws://localhost/", stream).await?;
            client.send(Message::binary(vec![7; 100_000])).await?;
            assert!(matches!(client.next().await.transpose()?, Some(Message::Close(_))));
            let mut rest = Vec::new();
            let _end = client.get_mut().read_to_end(&mut rest).await;
            Ok(())
        })
        .await
    })
    .unwrap();
}
