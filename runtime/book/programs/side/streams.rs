use terzetto::{
    Builder, Error,
    io::{HalfCloseableStream, ReceiveStream, SendStream},
    nursery,
    testing::{MockClock, memory_stream_pair},
};

fn main() -> Result<(), Error> {
    Builder::new().clock(MockClock::autojump()).run(async {
        let (client, server) = memory_stream_pair();
        nursery(async |n| {
            n.start_soon(async move {
                let mut buffer = [0; 64];
                loop {
                    match server.receive_some(&mut buffer).await? {
                        0 => return Ok(server.send_eof().await?),
                        n => server.send_all(&buffer[..n]).await?,
                    }
                }
            });
            let mut buffer = [0; 64];
            client.send_all(b"hello").await?;
            let n = client.receive_some(&mut buffer).await?;
            println!("{}", String::from_utf8_lossy(&buffer[..n]));
            client.send_eof().await?;
            println!("{}", client.receive_some(&mut buffer).await?);
            Ok(())
        })
        .await
    })
}
