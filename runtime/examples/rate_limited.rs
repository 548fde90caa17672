//! A client that keeps to the limit of a server: ten tasks ask it something, and together they ask no more than a
//! hundred times in a second, with two at once. The server counts who comes too soon, and turns them away.
//!
//! ```sh
//! cargo run -p terzetto --example rate_limited
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::cell::Cell;
use terzetto::{
    Error, current_time,
    io::{ReceiveStream, SendStream, TcpStream, serve_tcp},
    nursery,
    time::RateLimiter,
};

async fn ask(port: u16, limiter: &RateLimiter) -> Result<u8, Error> {
    limiter.acquire().await?;
    let stream = TcpStream::connect(([127, 0, 0, 1], port)).await?;
    let mut answer = [0];
    stream.receive_some(&mut answer).await?;
    Ok(answer[0])
}

/// The whole program, for a run.
pub async fn program() -> Result<(), Error> {
    let (served, turned_away) = (Cell::new(0), Cell::new(0));
    // The server is a little more patient than it says, since the way to it takes time.
    let limit = RateLimiter::new(100, 1).burst(20);
    let serve = async |stream: TcpStream| {
        let is_in_time = limit.acquire_nowait().is_ok();
        let count = if is_in_time { &served } else { &turned_away };
        count.set(count.get() + 1);
        Ok(stream.send_all(&[u8::from(is_in_time)]).await?)
    };
    nursery(async |n| {
        let listeners = n.start(async |status| serve_tcp(0, Some("127.0.0.1"), serve, status).await).await?;
        let (port, start) = (listeners[0].local_addr()?.port(), current_time());
        let limiter = RateLimiter::new(100, 1).burst(2);
        nursery(async |tasks| {
            for _ in 0..10 {
                tasks.start_soon(async {
                    for _ in 0..3 {
                        ask(port, &limiter).await?;
                    }
                    Ok(())
                });
            }
            Ok(())
        })
        .await?;
        let took_its_time = current_time() - start >= 0.28;
        println!("{} served, {} turned away, in time: {took_its_time}", served.get(), turned_away.get());
        n.cancel_scope().cancel();
        Ok(())
    })
    .await
}

fn main() -> Result<(), Error> {
    terzetto::run(program())
}
