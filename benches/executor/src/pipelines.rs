//! The same three works that do nothing, on each executor.
//!
//! In all of them, an item has a key made from its number, goes from work to work, and may be an error. The queues have
//! the same bound. Rayon has no queues, so it shows the cost of the keys and the calls alone.

use std::{hint::black_box, sync::Arc};

use rayon::prelude::*;
use terzetto_executor::{ExecutorAsync, ExecutorSequential, Options, Topology};
use tokio::sync::mpsc;

/// The limit of a queue: the default of the executor on 2 cores.
pub const LIMIT: usize = 16;

/// One way to run the works.
pub struct Pipeline {
    pub name: &'static str,
    /// Runs so many items, and returns how many came out.
    pub run: fn(usize) -> usize,
    /// If items are slow, so many times fewer are run.
    fewer: usize,
}

impl Pipeline {
    pub fn count(&self, items: usize) -> usize {
        items / self.fewer
    }
}

pub fn all() -> Vec<Pipeline> {
    let pipeline = |name, run, fewer| Pipeline { name, run, fewer };
    vec![
        pipeline("terzetto, async", terzetto_async as fn(usize) -> usize, 1),
        pipeline("terzetto, async, io and cpu works in turn", terzetto_mixed, 1),
        pipeline("terzetto, async, with a job's folder", terzetto_recorded, 1),
        pipeline("terzetto, sequential", terzetto_sequential, 1),
        pipeline("tokio, channels, 2 threads", tokio_two_threads, 1),
        pipeline("tokio, channels, 1 thread", tokio_one_thread, 1),
        pipeline("tokio, channels, works in spawn_blocking", tokio_blocking, 20),
        pipeline("rayon, a loop", rayon_loop, 1),
    ]
}

fn work(n: usize) -> Result<usize, String> {
    Ok(black_box(n))
}

fn topology(count: usize, mixed: bool) -> Topology {
    let mut topology = Topology::new("empty");
    let [a, b, c] = ["a", "b", "c"].map(|name| topology.queue::<usize>(name));
    topology.source("count", &a, (0..count).map(|n| (n.to_string(), n)));
    match mixed {
        true => {
            topology.io("one", &a).to(&b).each(|_, n| Ok(work(n)?));
            topology.cpu("two", &b).to(&c).each(|_, n| Ok(work(n)?));
            topology.io("three", &c).each(|_, n| Ok(work(n).map(|_| ())?));
        }
        false => {
            topology.cpu("one", &a).to(&b).each(|_, n| Ok(work(n)?));
            topology.cpu("two", &b).to(&c).each(|_, n| Ok(work(n)?));
            topology.cpu("three", &c).each(|_, n| Ok(work(n).map(|_| ())?));
        }
    }
    topology
}

fn options() -> Options {
    Options::new().queue_limit(LIMIT)
}

fn terzetto_async(count: usize) -> usize {
    let executor = ExecutorAsync::new(topology(count, false), options()).expect("a sound topology");
    terzetto::run(executor.run()).expect("it runs").done
}

fn terzetto_mixed(count: usize) -> usize {
    let executor = ExecutorAsync::new(topology(count, true), options()).expect("a sound topology");
    terzetto::run(executor.run()).expect("it runs").done
}

/// As fluidimage does: each call logged, each result listed.
fn terzetto_recorded(count: usize) -> usize {
    let folder = std::env::temp_dir().join(format!("terzetto-overhead-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files");
    let options = options().results_folder(&folder);
    let executor = ExecutorAsync::new(topology(count, false), options).expect("a sound topology");
    let done = terzetto::run(executor.run()).expect("it runs").done;
    std::fs::remove_dir_all(folder).expect("the own folder");
    done
}

fn terzetto_sequential(count: usize) -> usize {
    let executor = ExecutorSequential::new(topology(count, false), options()).expect("a sound topology");
    executor.run().expect("it runs").done
}

type Item = (Arc<str>, Result<usize, String>);

fn key(n: usize) -> Arc<str> {
    n.to_string().into()
}

async fn stage(mut input: mpsc::Receiver<Item>, output: mpsc::Sender<Item>) {
    while let Some((key, value)) = input.recv().await {
        if output.send((key, value.and_then(work))).await.is_err() {
            return;
        }
    }
}

async fn channels(count: usize) -> usize {
    let (to_first, first) = mpsc::channel(LIMIT);
    let (to_second, second) = mpsc::channel(LIMIT);
    let (to_third, mut third) = mpsc::channel(LIMIT);
    tokio::spawn(async move {
        for n in 0..count {
            if to_first.send((key(n), Ok(n))).await.is_err() {
                return;
            }
        }
    });
    tokio::spawn(stage(first, to_second));
    tokio::spawn(stage(second, to_third));
    let last = tokio::spawn(async move {
        let mut done = 0;
        while let Some((_, value)) = third.recv().await {
            done += usize::from(value.and_then(work).is_ok());
        }
        done
    });
    last.await.expect("no panic")
}

fn tokio_two_threads(count: usize) -> usize {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(channels(count))
}

fn tokio_one_thread(count: usize) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(channels(count))
}

/// A pipeline of works that may block: each call runs in a thread for blocking calls.
fn tokio_blocking(count: usize) -> usize {
    async fn stage(mut input: mpsc::Receiver<Item>, output: mpsc::Sender<Item>) {
        while let Some((key, value)) = input.recv().await {
            let value = tokio::task::spawn_blocking(move || value.and_then(work)).await.expect("no panic");
            if output.send((key, value)).await.is_err() {
                return;
            }
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    runtime.block_on(async {
        let (to_first, first) = mpsc::channel(LIMIT);
        let (to_second, second) = mpsc::channel(LIMIT);
        let (to_third, third) = mpsc::channel(LIMIT);
        let (to_end, mut end) = mpsc::channel(LIMIT);
        tokio::spawn(async move {
            for n in 0..count {
                if to_first.send((key(n), Ok(n))).await.is_err() {
                    return;
                }
            }
        });
        tokio::spawn(stage(first, to_second));
        tokio::spawn(stage(second, to_third));
        tokio::spawn(stage(third, to_end));
        let mut done = 0;
        while let Some((_, value)) = end.recv().await {
            done += usize::from(value.is_ok());
        }
        done
    })
}

fn rayon_loop(count: usize) -> usize {
    (0..count)
        .into_par_iter()
        .filter(|&n| {
            let item: Item = (key(n), Ok(n));
            black_box(item).1.and_then(work).and_then(work).and_then(work).is_ok()
        })
        .count()
}
