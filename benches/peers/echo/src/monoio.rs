//! An echo server on monoio: `echo-monoio epoll|uring`. Prints its address; serves until it is killed.

use monoio::{
    IoUringDriver, LegacyDriver, RuntimeBuilder,
    io::{AsyncReadRent, AsyncWriteRentExt},
    net::{TcpListener, TcpStream},
};
use std::io::{Error, Result, Write};

async fn echo(mut stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut buffer = Vec::with_capacity(4096);
    loop {
        // A read fills the buffer it is given from its start.
        let received;
        (received, buffer) = stream.read(buffer).await;
        if matches!(received, Ok(0) | Err(_)) {
            return Ok(());
        }
        let sent;
        (sent, buffer) = stream.write_all(buffer).await;
        sent?;
    }
}

async fn serve() -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    writeln!(std::io::stdout(), "{}", listener.local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        monoio::spawn(echo(stream));
    }
}

fn main() -> Result<()> {
    match std::env::args().nth(1).as_deref() {
        Some("epoll") => RuntimeBuilder::<LegacyDriver>::new().build()?.block_on(serve()),
        Some("uring") => RuntimeBuilder::<IoUringDriver>::new().build()?.block_on(serve()),
        _ => Err(Error::other("usage: echo-monoio epoll|uring")),
    }
}
