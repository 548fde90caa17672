//! A crawler: it follows the links of a site, has no more than two requests under way, and asks again for a page that
//! fails. The site is a server in the same program, which hangs up on every third request.
//!
//! ```sh
//! cargo run -p terzetto --example crawler
//! ```

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    net::SocketAddr,
};
use terzetto::{
    Error, Nursery,
    io::{ReceiveStream, SendStream, TcpStream, serve_tcp},
    nursery,
    sync::Semaphore,
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

struct Crawl {
    site: SocketAddr,
    at_once: Semaphore,
    seen: RefCell<BTreeSet<u8>>,
}

/// Reads a page, and starts a task for each page that nobody has seen before.
async fn visit<'s>(page: u8, crawl: &'s Crawl, n: &'s Nursery<'s, '_>) -> Result<(), Error> {
    let _permit = crawl.at_once.acquire().await?;
    let retry = Retry::new(Backoff::exponential(0.01).jitter(0.5)).attempts(5).timeout(10);
    let mut links = retry.run(async || fetch(crawl.site, page).await).await?;
    links.retain(|&link| crawl.seen.borrow_mut().insert(link));
    links.into_iter().for_each(|link| n.start_soon(visit(link, crawl, n)));
    Ok(())
}

fn main() -> Result<(), Error> {
    let requests = Cell::new(0);
    let serve = async |stream| serve(stream, requests.replace(requests.get() + 1) % 3 < 2).await;
    terzetto::run(nursery(async |n| {
        let listeners = n.start(async |status| serve_tcp(0, Some("127.0.0.1"), serve, status).await).await?;
        let (site, seen) = (listeners[0].local_addr()?, RefCell::new(BTreeSet::from([0])));
        let crawl = Crawl { site, at_once: Semaphore::new(2), seen };
        nursery(async |pages| visit(0, &crawl, pages).await).await?;
        println!("{} pages in {} requests", crawl.seen.borrow().len(), requests.get());
        n.cancel_scope().cancel();
        Ok(())
    }))
}
