//! An HTTP server that finishes its requests when it is told to end, by Ctrl-C or SIGTERM. Here its only client tells it
//! so while it waits for an answer. It gets the answer, and then nobody can connect any more.
//!
//! ```sh
//! cargo run -p terzetto --features hyper --example graceful_server
//! ```

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "an example talks")]

use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use terzetto::{
    Cancelled, Error,
    compat::{HyperIo, HyperTimer, drive_gracefully},
    graceful::until_signalled,
    io::{ReceiveStream, SendStream, TcpStream, serve_tcp},
    nursery, sleep,
};

/// Tells this process to end, as a service manager would, and takes its time for the answer.
async fn answer(_: Request<Incoming>) -> Result<Response<Full<&'static [u8]>>, Cancelled> {
    signal_hook::low_level::raise(signal_hook::consts::SIGTERM).expect("there is such a signal");
    sleep(0.5).await?;
    Ok(Response::new(Full::new(b"done")))
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
    terzetto::run(nursery(async |n| {
        let server = async |status| {
            until_signalled(10.0, serve_tcp(0, Some("127.0.0.1"), connection, status)).await?;
            Ok(())
        };
        let address = n.start(server).await?[0].local_addr()?;
        let client = TcpStream::connect(address).await?;
        client.send_all(b"GET / HTTP/1.1\r\nhost: here\r\n\r\n").await?;
        let mut answer = [0; 1024];
        let length = client.receive_some(&mut answer).await?;
        println!("answered: {}", answer[..length].ends_with(b"done"));
        println!("another client can connect: {}", TcpStream::connect(address).await.is_ok());
        Ok(())
    }))?;
    println!("the server has ended");
    Ok(())
}
