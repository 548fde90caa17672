//! A crawler: it follows the links of a site, one level after the other, has no more than two requests under way, and
//! asks again for a page that fails. The site is a server in the same program, which hangs up on every third request.
//!
//! ```sh
//! cargo run -p terzetto --example crawler
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::{cell::Cell, collections::BTreeSet, net::SocketAddr};
use terzetto::{
    Error,
    children::map,
    io::{ReceiveStream, SendStream, TcpStream, serve_tcp},
    nursery,
    time::{Backoff, Retry},
};

/// The links of each page. Pages have numbers here.
const SITE: [&[u8]; 5] = [&[1, 2], &[2, 3], &[0], &[4, 1], &[0]];

async fn serve(stream: TcpStream, is_working: bool) -> Result<(), Error> {
    let mut page = [0];
    stream.receive_some(&mut page).await?;
    Ok(stream.send_all(if is_working { SITE[usize::from(page[0])] } else { &[] }).await?)
}

async fn fetch(site: SocketAddr, page: u8) -> Result<Vec<u8>, Error> {
    let stream = TcpStream::connect(site).await?;
    stream.send_all(&[page]).await?;
    let mut links = [0; 16];
    let length = stream.receive_some(&mut links).await?;
    if length == 0 { Err(Error::msg("the server has hung up")) } else { Ok(links[..length].to_vec()) }
}

/// Reads a page and all that can be reached from it. Returns how many there are.
async fn crawl(site: SocketAddr, first: u8) -> Result<usize, Error> {
    let retry = Retry::new(Backoff::exponential(0.01).jitter(0.5)).attempts(5).timeout(10);
    let visit = async |page| retry.run(async || fetch(site, page).await).await;
    let (mut seen, mut pages) = (BTreeSet::from([first]), vec![first]);
    while !pages.is_empty() {
        let links = map(pages.into_iter(), visit).at_most(2).collect().await?;
        pages = links.into_iter().flatten().filter(|&link| seen.insert(link)).collect();
    }
    Ok(seen.len())
}

/// The whole program, for a run.
pub async fn program() -> Result<(), Error> {
    let requests = Cell::new(0);
    let serve = async |stream| serve(stream, requests.replace(requests.get() + 1) % 3 < 2).await;
    nursery(async |n| {
        let listeners = n.start(async |status| serve_tcp(0, Some("127.0.0.1"), serve, status).await).await?;
        let pages = crawl(listeners[0].local_addr()?, 0).await?;
        println!("{pages} pages in {} requests", requests.get());
        n.cancel_scope().cancel();
        Ok(())
    })
    .await
}

fn main() -> Result<(), Error> {
    terzetto::run(program())
}
