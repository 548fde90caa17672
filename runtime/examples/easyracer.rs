//! Easy Racer (<https://github.com/jamesward/easyracer>): eleven races, each against a server that checks how they are
//! run. `cargo run --release -p terzetto --features hyper --example easyracer HOST:PORT`

#![allow(clippy::print_stdout, reason = "an example talks")]

use http_body_util::{BodyExt, Empty};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1};
use rustix::time::{ClockId, clock_gettime};
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::SocketAddr,
    time::Instant,
};
use terzetto::{
    CancelScope, Error, cancellable,
    children::{gather, map},
    compat::{HyperIo, drive_connection},
    fail_after, from_thread,
    io::TcpStream,
    race::{first_to_end, first_to_succeed, hedge},
    service::with_services,
    sleep, to_thread,
};

/// A request; returns the status and the body of the answer.
async fn get(server: SocketAddr, path: &str) -> Result<(StatusCode, String), Error> {
    let stream = TcpStream::connect(server).await?;
    let (mut sender, connection) = cancellable(http1::handshake(HyperIo::new(stream))).await??;
    with_services(async |_, services| {
        services.start_soon(async { drive_connection(connection).await });
        let request = Request::get(path).header("host", server.to_string()).body(Empty::<Bytes>::new())?;
        let response = cancellable(sender.send_request(request)).await??;
        let status = response.status();
        let body = cancellable(response.into_body().collect()).await??.to_bytes();
        Ok((status, String::from_utf8(body.to_vec())?))
    })
    .await
}

/// A request of which any answer but 200 is a failure.
async fn page(server: SocketAddr, path: &str) -> Result<String, Error> {
    match get(server, path).await? {
        (StatusCode::OK, body) => Ok(body),
        (status, _) => Err(Error::msg(format!("{path} was answered by {status}"))),
    }
}

/// As [`page`], and asks again if the connection breaks. Systems drop connections if very many come at once.
async fn page_of_a_busy_server(server: SocketAddr, path: &str) -> Result<String, Error> {
    loop {
        match page(server, path).await {
            Err(error) if !error.is_cancelled() && error.find::<std::io::Error>().is_some() => {
                sleep(0.1).await?
            }
            outcome => return outcome,
        }
    }
}

/// Opens a resource, uses it, and closes it whatever happens.
async fn use_resource(server: SocketAddr) -> Result<String, Error> {
    let id = page(server, "/8?open").await?;
    let used = page(server, &format!("/8?use={id}")).await;
    let close = CancelScope::new().shielded(true);
    close.run(page(server, &format!("/8?close={id}"))).await?;
    used
}

/// Ten requests; the letters that are answered, in the order of the answers.
async fn letters(server: SocketAddr) -> Result<String, Error> {
    let letter = async |_| match get(server, "/9").await? {
        (StatusCode::OK, letter) => Ok(letter),
        _ => Ok(String::new()),
    };
    Ok(map(0..10, letter).as_completed().collect().await?.concat())
}

/// Computes in a thread, until the task that waits for the thread is cancelled.
async fn compute() -> Result<String, Error> {
    let work = || {
        let mut digest = DefaultHasher::new();
        while from_thread::check_cancelled().is_ok() {
            (0..10_000).for_each(|round: u32| round.hash(&mut digest));
        }
        digest.finish().to_string()
    };
    to_thread::run_sync(work).await
}

/// Computes as long as a request is open, and tells the server each second how busy this process is.
async fn computing(server: SocketAddr) -> Result<String, Error> {
    let id = format!("{:x}", std::process::id());
    let blocker = format!("/10?{id}");
    let part_1 = async { first_to_end((page(server, &blocker), compute())).await };
    let part_2 = async {
        loop {
            let (cpu, begun) = (clock_gettime(ClockId::ProcessCPUTime), Instant::now());
            sleep(1.0).await?;
            let used = clock_gettime(ClockId::ProcessCPUTime) - cpu;
            let used = used.tv_sec as f64 + used.tv_nsec as f64 / 1e9;
            let load = (used / begun.elapsed().as_secs_f64()).min(1.0);
            match get(server, &format!("/10?{id}={load:.3}")).await? {
                (status, body) if status.is_success() => return Ok(body),
                (status, _) if status.is_redirection() => {}
                (status, body) => return Err(Error::msg(format!("{status}: {body}"))),
            }
        }
    };
    Ok(gather((part_1, part_2)).await?.1)
}

/// Runs a scenario, and returns what the winner answered.
pub async fn scenario(server: SocketAddr, number: u32, requests: usize) -> Result<String, Error> {
    let path = &format!("/{number}");
    let race = async |contenders| {
        let contenders: Vec<_> = (0..contenders).map(|_| page(server, path)).collect();
        Ok::<_, Error>(first_to_succeed(contenders).await?.value)
    };
    match number {
        1 | 2 | 5 => race(2).await,
        3 => {
            let contenders: Vec<_> = (0..requests).map(|_| page_of_a_busy_server(server, path)).collect();
            Ok(first_to_succeed(contenders).await?.value)
        }
        4 => Ok(first_to_succeed((page(server, path), fail_after(1.0, page(server, path)))).await?.value),
        6 => race(3).await,
        7 => Ok(hedge(2, 3.0, async |_| page(server, path).await).await?.value),
        8 => Ok(first_to_succeed([use_resource(server), use_resource(server)]).await?.value),
        9 => letters(server).await,
        10 => computing(server).await,
        11 => Ok(first_to_succeed((page(server, path), race(2))).await?.value),
        _ => Err(Error::msg(format!("there is no scenario {number}"))),
    }
}

/// All eleven of them, one after the other.
#[allow(dead_code, reason = "a test runs the scenarios itself")]
fn main() -> Result<(), Error> {
    let server = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8080".to_owned()).parse()?;
    terzetto::run(async {
        for number in 1..=11 {
            println!("scenario {number}: {}", scenario(server, number, 10_000).await?);
        }
        Ok(())
    })
}
