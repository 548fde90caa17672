use terzetto::{
    Error,
    io::{Listener, ReceiveStream, SendStream, TcpListener, TcpStream},
    move_on_after, nursery,
};

async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut buffer = [0; 4096];
    loop {
        // A client that says nothing for a minute is sent away.
        let received = move_on_after(60.0, async { Ok(stream.receive_some(&mut buffer).await?) }).await?;
        match received {
            None | Some(0) => return Ok(()),
            Some(n) => stream.send_all(&buffer[..n]).await?,
        }
    }
}

/// The error of one connection must not end the others. A cancellation must go on.
async fn connection(stream: TcpStream) -> Result<(), Error> {
    match echo(stream).await {
        Err(error) if !error.is_cancelled() => {
            println!("a connection failed: {error}");
            Ok(())
        }
        outcome => outcome,
    }
}

async fn serve(listener: TcpListener) -> Result<(), Error> {
    nursery(async |connections| {
        loop {
            let stream = listener.accept().await?;
            connections.start_soon(connection(stream));
        }
    })
    .await
}

async fn ask(address: std::net::SocketAddr, question: &str) -> Result<String, Error> {
    let client = TcpStream::connect(address).await?;
    client.send_all(question.as_bytes()).await?;
    let mut buffer = [0; 64];
    let n = client.receive_some(&mut buffer).await?;
    Ok(String::from_utf8_lossy(&buffer[..n]).into_owned())
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let address = listener.local_addr()?;
        nursery(async |n| {
            n.start_soon(serve(listener));
            for question in ["one", "two", "three"] {
                println!("{}", ask(address, question).await?);
            }
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
}
