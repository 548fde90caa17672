use terzetto::{
    Error,
    io::{Listener, ReceiveStream, SendStream, TcpListener, TcpStream},
    nursery,
};

async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut buffer = [0; 4096];
    loop {
        match stream.receive_some(&mut buffer).await? {
            0 => return Ok(()),
            n => stream.send_all(&buffer[..n]).await?,
        }
    }
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
        let address = listener.local_addr()?;
        nursery(async |n| {
            // The server: one connection, then no more.
            n.start_soon(async {
                let stream = listener.accept().await?;
                echo(stream).await
            });
            // The client.
            let client = TcpStream::connect(address).await?;
            client.send_all(b"hello").await?;
            let mut buffer = [0; 16];
            let n = client.receive_some(&mut buffer).await?;
            println!("{}", String::from_utf8_lossy(&buffer[..n]));
            Ok(())
        })
        .await
    })
}
