//! Happy eyeballs by hand (RFC 8305): a host has several addresses, and some of them may be dead. The attempts begin
//! one after another, each as soon as the one before has failed or has taken too long. The first that succeeds cancels
//! the others. (`open_tcp_stream` does this already.)
//!
//! ```sh
//! cargo run -p terzetto --example happy_eyeballs
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::{cell::Cell, net::SocketAddr};
use terzetto::{
    Error,
    io::{TcpListener, TcpStream},
    move_on_after, nursery, sleep_forever,
    sync::Event,
};

/// Here lives somebody who never answers, which is hard to find on a machine of one's own.
const SILENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

async fn connect(address: SocketAddr) -> Result<TcpStream, Error> {
    if address == SILENT {
        sleep_forever().await?;
    }
    Ok(TcpStream::connect(address).await?)
}

async fn connect_to_first(addresses: &[SocketAddr], delay: f64) -> Result<TcpStream, Error> {
    let winner = &Cell::new(None);
    nursery(async |n| {
        for &address in addresses {
            let failed = Event::new();
            let tell = failed.clone();
            n.start_soon(async move {
                match connect(address).await {
                    Err(error) if !error.is_cancelled() => tell.set(),
                    outcome => {
                        winner.set(Some(outcome?));
                        n.cancel_scope().cancel();
                    }
                }
                Ok(())
            });
            move_on_after(delay, async { Ok(failed.wait().await?) }).await?;
        }
        Ok(())
    })
    .await?;
    winner.take().ok_or_else(|| Error::msg("all attempts to connect have failed"))
}

/// The whole program, for a run.
pub async fn program() -> Result<(), Error> {
    let listener = TcpListener::bind(([127, 0, 0, 1], 0))?;
    let refused = TcpListener::bind(([127, 0, 0, 1], 0))?.local_addr()?;
    let stream = connect_to_first(&[refused, SILENT, listener.local_addr()?], 0.05).await?;
    println!("connected to the open port: {}", stream.peer_addr()? == listener.local_addr()?);
    Ok(())
}

fn main() -> Result<(), Error> {
    terzetto::run(program())
}
