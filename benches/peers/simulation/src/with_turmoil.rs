//! The program in turmoil.

use crate::{LEAST_LATENCY_MS, MOST_LATENCY_MS, Work};
use std::{error::Error, net::Ipv4Addr, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::sleep,
};
use turmoil::net::{TcpListener, TcpStream};

fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}

/// Runs the program. Returns how many seconds it has simulated.
pub fn run(work: Work) -> Result<f64, Box<dyn Error>> {
    let mut simulation = turmoil::Builder::new()
        .rng_seed(1)
        .simulation_duration(Duration::from_secs(1_000_000))
        .min_message_latency(milliseconds(LEAST_LATENCY_MS))
        .max_message_latency(milliseconds(MOST_LATENCY_MS))
        .build();
    simulation.host("server", || async {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 80)).await?;
        loop {
            let (stream, _) = listener.accept().await?;
            tokio::spawn(async move { drop(echo(stream).await) });
        }
    });
    for number in 0..work.clients {
        simulation.client(format!("client{number}"), async move { client(work.rounds, milliseconds(work.pause)).await });
    }
    simulation.run()?;
    Ok(simulation.elapsed().as_secs_f64())
}

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            n => stream.write_all(&buffer[..n]).await?,
        }
    }
}

async fn client(rounds: u32, pause: Duration) -> Result<(), Box<dyn Error>> {
    sleep(Duration::from_millis(100)).await;
    let mut stream = TcpStream::connect(("server", 80)).await?;
    stream.set_nodelay(true)?;
    let mut answer = [0; 64];
    for _ in 0..rounds {
        stream.write_all(&[7; 64]).await?;
        stream.read_exact(&mut answer).await?;
        sleep(pause).await;
    }
    Ok(())
}
