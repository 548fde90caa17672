//! A request that is sent again if the answer takes long: `cargo run -p terzetto --example hedged_request`.

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::{cell::Cell, net::SocketAddr};
use terzetto::{
    Error,
    io::{ReceiveStream, SendStream, StreamError, TcpStream, serve_tcp},
    nursery, race, sleep,
};

async fn ask(server: SocketAddr) -> Result<String, Error> {
    let stream = TcpStream::connect(server).await?;
    stream.send_all(b"what time is it?").await?;
    let mut answer = [0; 64];
    let length = stream.receive_some(&mut answer).await?;
    Ok(String::from_utf8(answer[..length].to_vec())?)
}

/// The whole program, for a run.
pub async fn program() -> Result<(), Error> {
    let answered = Cell::new(0);
    // Every third answer takes long.
    let answer = async |stream: TcpStream| {
        stream.receive_some(&mut [0; 64]).await?;
        let number = answered.replace(answered.get() + 1);
        sleep(if number % 3 == 0 { 60.0 } else { 0.01 }).await?;
        match stream.send_all(b"tea time").await {
            // The asker may be gone: another attempt was faster.
            Err(StreamError::Broken(_)) => Ok(()),
            sent => Ok(sent?),
        }
    };
    nursery(async |n| {
        let listeners =
            n.start(async |status| serve_tcp(0, Some("127.0.0.1"), &answer, status).await).await?;
        let server = listeners[0].local_addr()?;
        for _ in 0..6 {
            let finish = race::hedge(2, 0.4, async |_| ask(server).await).await?;
            println!("{:?} from attempt {}", finish.value, finish.index + 1);
        }
        n.cancel_scope().cancel();
        Ok(())
    })
    .await
}

fn main() -> Result<(), Error> {
    terzetto::run(program())
}
