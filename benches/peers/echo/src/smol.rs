//! An echo server on smol's parts, on one thread. Prints its address; serves until it is killed.

use async_executor::LocalExecutor;
use async_io::Async;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use std::{
    io::{Result, Write},
    net::{TcpListener, TcpStream},
};

async fn echo(mut stream: Async<TcpStream>) -> Result<()> {
    stream.get_ref().set_nodelay(true)?;
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer).await {
            Ok(0) | Err(_) => return Ok(()),
            Ok(received) => stream.write_all(&buffer[..received]).await?,
        }
    }
}

async fn serve(executor: &LocalExecutor<'_>) -> Result<()> {
    let listener = Async::<TcpListener>::bind(([127, 0, 0, 1], 0))?;
    writeln!(std::io::stdout(), "{}", listener.get_ref().local_addr()?)?;
    loop {
        let (stream, _) = listener.accept().await?;
        executor.spawn(echo(stream)).detach();
    }
}

fn main() -> Result<()> {
    let executor = LocalExecutor::new();
    async_io::block_on(executor.run(serve(&executor)))
}
