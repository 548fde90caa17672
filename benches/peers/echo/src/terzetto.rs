//! An echo server on terzetto. Prints its address; serves until it is killed.

use std::io::Write;
use terzetto::{
    Error, TaskStatus,
    io::{ReceiveStream, SendStream, TcpListener, TcpStream, serve_listeners},
};

async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut buffer = [0; 4096];
    loop {
        match stream.receive_some(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(()),
            Ok(received) => stream.send_all(&buffer[..received]).await?,
        }
    }
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
        serve_listeners(vec![listener], echo, TaskStatus::ignored()).await
    })
}
