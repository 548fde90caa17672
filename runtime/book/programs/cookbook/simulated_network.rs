// A client that asks a server again, proved in a hundred simulated networks.
use terzetto::{
    Error, TaskStatus,
    io::{ReceiveStream, SendStream, TcpStream, open_tcp_stream, serve_tcp},
    move_on_after, nursery, sleep,
    testing::net::{Fault, Link, Network, Simulation},
};

async fn greet(stream: TcpStream) -> Result<(), Error> {
    match stream.send_all(b"hello").await {
        Err(error) if matches!(error, terzetto::io::StreamError::Cancelled(_)) => Err(error.into()),
        _ => Ok(()), // the client is gone, and asks again
    }
}

async fn greeting() -> Result<Vec<u8>, Error> {
    let (mut greeting, mut buffer) = (Vec::new(), [0; 16]);
    let stream = open_tcp_stream("server", 80).await?;
    loop {
        match stream.receive_some(&mut buffer).await? {
            0 => return Ok(greeting),
            n => greeting.extend_from_slice(&buffer[..n]),
        }
    }
}

async fn greeting_at_last() -> Result<Vec<u8>, Error> {
    loop {
        match move_on_after(2.0, greeting()).await {
            Ok(Some(greeting)) => return Ok(greeting),
            Err(error) if error.is_cancelled() => return Err(error),
            _ => sleep(0.5).await?,
        }
    }
}

fn main() {
    let simulated = Simulation::new(async |network: &Network| {
        network.set_link(Link::new().latency(0.001..=0.2).loss(0.1));
        network.script([(1.0, Fault::crash("server")), (3.0, Fault::restart("server"))]);
        let (server, client) = (network.host("server"), network.host("client"));
        nursery(async |n| {
            n.start_soon(server.serve(async || serve_tcp(80, None, greet, TaskStatus::ignored()).await));
            for _ in 0..10 {
                assert_eq!(client.run(greeting_at_last()).await?, b"hello");
            }
            n.cancel_scope().cancel();
            Ok(())
        })
        .await
    })
    .run();
    for fault in simulated.report.faults() {
        println!("{}: {}", fault.fault, if fault.effects > 0 { "it has happened" } else { "never" });
    }
    println!("{} runs", simulated.runs);
}
