//! The echo as HTTP/1.1: by `hyper` on the server's side, by hand on the client's.

use super::{
    MESSAGE,
    server::{Tally, add},
};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response,
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use std::time::Duration;
use terzetto::{
    Error,
    compat::{HyperIo, HyperTimer, drive_connection},
    io::{ReceiveStream, SendStream, TcpStream},
};

/// Serves one connection.
pub(super) async fn connection(stream: TcpStream, patience: f64, tally: &Tally) -> Result<(), Error> {
    let echo = service_fn(async |request: Request<Incoming>| {
        let body = request.into_body().collect().await?.to_bytes();
        add(&tally.messages, 1);
        Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::new(body)))
    });
    let served = http1::Builder::new()
        .timer(HyperTimer::new())
        .header_read_timeout(Duration::from_secs_f64(patience))
        .serve_connection(HyperIo::new(stream), echo);
    match drive_connection(served).await {
        Ok(()) => add(&tally.ended, 1),
        Err(error) if error.is_cancelled() => return Err(error),
        Err(_) => add(&tally.broken, 1),
    }
    Ok(())
}

/// Posts a message, and returns what the answer carries.
pub(super) async fn post(stream: &TcpStream, message: &[u8; MESSAGE]) -> Result<Vec<u8>, Error> {
    let mut request =
        format!("POST / HTTP/1.1\r\nhost: load\r\ncontent-length: {MESSAGE}\r\n\r\n").into_bytes();
    request.extend_from_slice(message);
    stream.send_all(&request).await?;
    let (mut answer, mut buffer) = (Vec::new(), [0; 512]);
    loop {
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end
            && answer.len() >= end + MESSAGE
        {
            return Ok(answer.split_off(end));
        }
        match stream.receive_some(&mut buffer).await? {
            0 => return Err(Error::msg("the connection ended amid an answer")),
            n => answer.extend_from_slice(&buffer[..n]),
        }
    }
}
