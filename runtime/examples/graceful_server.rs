//! An HTTP server that finishes its requests when it is told to end, by Ctrl-C or SIGTERM:
//! `cargo run -p terzetto --features hyper --example graceful_server [PORT]`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks")]

use http_body_util::Full;
use hyper::{Request, Response, body::Bytes, server::conn::http1, service::service_fn};
use terzetto::{
    Cancelled, Error, TaskStatus,
    compat::{HyperIo, HyperTimer, drive_gracefully},
    graceful::until_signalled,
    io::{TcpStream, serve_tcp},
    sleep,
};

/// Takes its time.
async fn answer(_: Request<hyper::body::Incoming>) -> Result<Response<Full<Bytes>>, Cancelled> {
    sleep(3.0).await?;
    Ok(Response::new(Full::new(Bytes::from_static(b"done\n"))))
}

async fn connection(stream: TcpStream) -> Result<(), Error> {
    let served = http1::Builder::new()
        .timer(HyperTimer::new())
        .serve_connection(HyperIo::new(stream), service_fn(answer));
    match drive_gracefully(served, |connection| connection.graceful_shutdown()).await {
        // One connection that breaks is not the server's end; a cancellation is.
        Err(error) if !error.is_cancelled() => eprintln!("a connection failed: {error}"),
        outcome => outcome?,
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let port = std::env::args().nth(1).map_or(Ok(8080), |port| port.parse())?;
    terzetto::run(async {
        let server = serve_tcp(port, None, connection, TaskStatus::ignored());
        until_signalled(10.0, server).await?;
        println!("all requests are answered");
        Ok(())
    })
}
