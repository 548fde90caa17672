//! An HTTP/1.1 server: `cargo run --release -p terzetto --features hyper --example http [PORT]`.

use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, server::conn::http1, service::service_fn};
use std::convert::Infallible;
use terzetto::{
    Error, TaskStatus,
    compat::{HyperIo, HyperTimer, drive_connection},
    io::{TcpStream, serve_tcp},
};

async fn greet(request: Request<hyper::body::Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match request.uri().path() {
        "/" => Response::new(Full::new(Bytes::from_static(b"hello\n"))),
        path => {
            let text = format!("there is nothing at {path}\n");
            let mut response = Response::new(Full::new(Bytes::from(text)));
            *response.status_mut() = hyper::StatusCode::NOT_FOUND;
            response
        }
    })
}

async fn connection(stream: TcpStream) -> Result<(), Error> {
    let served = http1::Builder::new()
        .timer(HyperTimer::new())
        .serve_connection(HyperIo::new(stream), service_fn(greet));
    match drive_connection(served).await {
        // One connection that breaks is not the server's end; a cancellation is.
        Err(error) if !error.is_cancelled() => log::debug!("a connection failed: {error:?}"),
        outcome => outcome?,
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let port = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    terzetto::run(serve_tcp(port, None, connection, TaskStatus::ignored()))
}
