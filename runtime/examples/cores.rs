//! An echo server with one run on each core. All of them listen at one address, with `SO_REUSEPORT`, and the system gives
//! each connection to one of them. A client in run zero talks to the server. Then a channel tells all runs to end.
//!
//! ```sh
//! cargo run -p terzetto --example cores
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr, TcpListener as StdListener},
    sync::Mutex,
    thread::available_parallelism,
};
use terzetto::{
    Error, cancellable,
    cores::Cores,
    io::{ReceiveStream, SendStream, TcpListener, TcpStream, open_tcp_stream, serve_listeners},
    nursery,
};

/// A listener that shares its address with others of this process.
fn shared_listener(address: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_port(true)?;
    socket.bind(&address.into())?;
    socket.listen(1024)?;
    Ok(socket.into())
}

async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut buffer = [0; 4096];
    loop {
        match stream.receive_some(&mut buffer).await? {
            0 => return Ok(()),
            length => stream.send_all(&buffer[..length]).await?,
        }
    }
}

/// Talks to the server. Returns how many echoes came.
async fn client(address: SocketAddr) -> Result<usize, Error> {
    let mut echoes = 0;
    for number in 0..100_u32 {
        let stream = open_tcp_stream(&address.ip().to_string(), address.port()).await?;
        stream.send_all(&number.to_be_bytes()).await?;
        let mut answer = [0; 4];
        let length = stream.receive_some(&mut answer).await?;
        echoes += usize::from(answer[..length] == number.to_be_bytes());
    }
    Ok(echoes)
}

fn main() -> Result<(), Error> {
    // Port zero lets the system choose one. All listeners exist before any client connects.
    let first = shared_listener((Ipv4Addr::LOCALHOST, 0).into())?;
    let address = first.local_addr()?;
    let runs = available_parallelism()?.get();
    let others = (1..runs).map(|_| shared_listener(address));
    let listeners = Mutex::new([Ok(first)].into_iter().chain(others).collect::<io::Result<Vec<_>>>()?);
    let (running, stopped) = async_channel::bounded::<()>(1);
    let echoes = Cores::new().runs(runs).run(async |number| {
        let listener = listeners.lock().expect("no run panics").pop().expect("there is one for each");
        let listener = TcpListener::from_std(listener)?;
        let mut echoes = 0;
        nursery(async |n| {
            n.start(async |status| serve_listeners(vec![listener], echo, status).await).await?;
            if number == 0 {
                echoes = client(address).await?;
                running.close();
            }
            // This fails as soon as the channel is closed.
            let _closed = cancellable(stopped.recv()).await?;
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        Ok(echoes)
    })?;
    println!("a server on each core: {} echoes", echoes.iter().sum::<usize>());
    Ok(())
}
