//! The program on this runtime.

use crate::{LEAST_LATENCY_MS, MOST_LATENCY_MS, Work};
use std::error::Error as StdError;
use terzetto::{
    Builder, Error, TaskStatus, current_time,
    io::{ReceiveStream, SendStream, TcpStream, open_tcp_stream, serve_tcp},
    nursery, sleep,
    testing::{
        MockClock,
        net::{Link, Network},
    },
};

/// Runs the program. Returns how many seconds it has simulated.
pub fn run(work: Work) -> Result<f64, Box<dyn StdError>> {
    let seconds = |ms: u32| f64::from(ms) / 1000.0;
    let simulated = Builder::new().clock(MockClock::autojump()).run(async {
        let network = Network::install(1)?;
        network.set_link(Link::new().latency(seconds(LEAST_LATENCY_MS)..=seconds(MOST_LATENCY_MS)));
        let server = network.host("server");
        nursery(async |servers| {
            servers.start_soon(async { server.run(serve_tcp(80, None, echo, TaskStatus::ignored())).await });
            nursery(async |clients| {
                for number in 0..work.clients {
                    let host = network.host(&format!("client {number}"));
                    clients.start_soon(async move { host.run(client(work.rounds, seconds(work.pause))).await });
                }
                Ok(())
            })
            .await?;
            servers.cancel_scope().cancel();
            Ok(())
        })
        .await?;
        Ok(current_time())
    })?;
    Ok(simulated)
}

async fn echo(stream: TcpStream) -> Result<(), Error> {
    let mut buffer = [0; 1024];
    loop {
        match stream.receive_some(&mut buffer).await? {
            0 => return Ok(()),
            n => stream.send_all(&buffer[..n]).await?,
        }
    }
}

async fn client(rounds: u32, pause: f64) -> Result<(), Error> {
    sleep(0.1).await?;
    let stream = open_tcp_stream("server", 80).await?;
    for _ in 0..rounds {
        stream.send_all(&[7; 64]).await?;
        let mut missing = 64;
        while missing > 0 {
            match stream.receive_some(&mut [0; 64][..missing]).await? {
                0 => return Err(Error::msg("the server has ended")),
                n => missing -= n,
            }
        }
        sleep(pause).await?;
    }
    Ok(())
}
