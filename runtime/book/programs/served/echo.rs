use terzetto::{
    Error, TaskStatus,
    graceful::{finish, until_signalled},
    io::{ReceiveStream, SendStream, TcpStream, open_tcp_listeners, serve_listeners},
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

/// The error of one connection must not end the others. A cancellation must go on.
async fn connection(stream: TcpStream) -> Result<(), Error> {
    match finish(echo(stream)).await {
        Err(error) if !error.is_cancelled() => {
            println!("a connection failed: {error}");
            Ok(())
        }
        outcome => outcome,
    }
}

fn main() -> Result<(), Error> {
    terzetto::run(async {
        let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
        println!("listening on {}", listeners[0].local_addr()?);
        let server = serve_listeners(listeners, connection, TaskStatus::ignored());
        until_signalled(5.0, server).await?;
        println!("all connections have ended");
        Ok(())
    })
}
