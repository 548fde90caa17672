use terzetto::{
    CancelScope, Error, TaskStatus,
    io::{ReceiveStream, SendStream, TcpStream, open_tcp_listeners, serve_listeners_in},
    nursery,
    signal::{Signal, open_signal_receiver},
};

// ANCHOR: echo
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
    match echo(stream).await {
        Err(error) if !error.is_cancelled() => {
            println!("a connection failed: {error}");
            Ok(())
        }
        outcome => outcome,
    }
}
// ANCHOR_END: echo

// ANCHOR: main
fn main() -> Result<(), Error> {
    terzetto::run(async {
        let signals = open_signal_receiver(&[Signal::INT, Signal::TERM])?;
        let listeners = open_tcp_listeners(0, Some("127.0.0.1"), None).await?;
        println!("listening on {}", listeners[0].local_addr()?);

        let accepting = CancelScope::new();
        let serving = CancelScope::new();
        nursery(async |n| {
            n.start_soon(async {
                signals.receive().await?;
                println!("stopping: those that are connected have five seconds");
                accepting.cancel();
                serving.set_relative_deadline(5.0);
                Ok(())
            });
            let all_served = nursery(async |connections| {
                let accept = serve_listeners_in(connections, listeners, connection, TaskStatus::ignored());
                accepting.run(accept).await?;
                Ok(())
            });
            match serving.run(all_served).await? {
                Some(()) => println!("all connections have ended"),
                None => println!("some connections were cut off"),
            }
            Ok(())
        })
        .await
    })
}
// ANCHOR_END: main
