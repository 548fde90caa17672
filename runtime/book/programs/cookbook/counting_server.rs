use std::cell::Cell;
use terzetto::{
    Error, TaskStatus,
    io::{ReceiveStream, SendStream, TcpStream, open_tcp_listeners, serve_listeners},
    nursery,
};

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let served = Cell::new(0);
        let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
        let address = listeners[0].local_addr()?;
        nursery(async |n| {
            // The handler is an async closure, and borrows `served`: no `Arc`, no atomic number.
            let handler = async |stream: TcpStream| {
                let mut buffer = [0; 16];
                let length = stream.receive_some(&mut buffer).await?;
                served.set(served.get() + 1);
                stream.send_all(&buffer[..length]).await?;
                Ok(())
            };
            n.start_soon(serve_listeners(listeners, handler, TaskStatus::ignored()));
            for _ in 0..3 {
                let client = TcpStream::connect(address).await?;
                client.send_all(b"hello").await?;
                client.receive_some(&mut [0; 16]).await?;
            }
            n.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        println!("{} connections were served", served.get());
        Ok(())
    })
}
