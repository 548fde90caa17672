//! A crawler: pages are fetched by an async task, and the links on them are fetched, too, until nothing new is found.
//!
//! `cargo run -p terzetto-executor --example circle`
#![allow(clippy::print_stdout, reason = "an example prints")]

use std::{collections::BTreeSet, sync::Mutex, time::Duration};

use terzetto::time::Backoff;
use terzetto_executor::{BoxError, ExecutorAsync, Options, Topology};

/// In place of a web: page `n` links to `2 n` and `3 n`, and a server is busy now and then.
async fn fetch(page: u64, attempt: u64) -> Result<Vec<u64>, BoxError> {
    terzetto::sleep(0.001).await?;
    if page.is_multiple_of(5) && attempt == 0 {
        return Err("the server is busy".into());
    }
    Ok([2 * page, 3 * page].into_iter().filter(|link| *link <= 1000).collect())
}

fn main() -> Result<(), terzetto::Error> {
    let mut topology = Topology::new("crawler");
    let pages = topology.feedback_queue::<u64>("pages");
    let links = topology.queue::<Vec<u64>>("links");
    topology.source("begin", &pages, [("page 1", 1), ("page 5", 5)]);

    let tried = Mutex::new(BTreeSet::new());
    topology
        .task("fetch", &pages)
        .max_workers(50)
        .time_limit(Duration::from_secs(10))
        .retry(3, Backoff::exponential(0.01))
        .to(&links)
        .each(async move |_key, page| {
            let first = tried.lock().map(|mut tried| tried.insert(page)).unwrap_or(false);
            fetch(page, u64::from(!first)).await
        });

    let seen = Mutex::new(BTreeSet::from([1, 5]));
    topology.cpu("new links", &links).to(&pages).flat_map(move |_key, links| {
        let mut seen = seen.lock().map_err(|_| "another call has panicked")?;
        let new: Vec<u64> = links.into_iter().filter(|link| seen.insert(*link)).collect();
        Ok(new.into_iter().map(|page| (format!("page {page}"), page)))
    });

    let outcome = terzetto::run(ExecutorAsync::new(topology, Options::new())?.run())?;
    for work in &outcome.works {
        let mean = work.mean().unwrap_or_default();
        println!("{:10} {:4} calls, {:3} retries, {mean:?} on average", work.work, work.calls, work.retries);
    }
    Ok(())
}
